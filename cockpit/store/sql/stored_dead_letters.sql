FROM cockpit.dead_letters WHERE position > $after AND position <= $until ORDER BY position, rowid
