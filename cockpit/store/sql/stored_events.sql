FROM cockpit.events WHERE position > $after AND position <= $until ORDER BY position, rowid
