DELETE FROM cockpit.repurchases
