DELETE FROM cockpit.day_measures WHERE family = $family AND day BETWEEN $first AND $last
