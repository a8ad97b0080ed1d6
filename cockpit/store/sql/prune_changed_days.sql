DELETE FROM cockpit.changed_days WHERE position <= $position
