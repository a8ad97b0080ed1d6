DELETE FROM cockpit.customers
