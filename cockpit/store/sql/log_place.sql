SELECT log_epoch, position, (SELECT count(*) FROM cockpit.events) AS events FROM cockpit.progress
