SELECT name FROM cockpit.migrations ORDER BY name
