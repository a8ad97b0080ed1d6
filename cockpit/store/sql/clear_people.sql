DELETE FROM cockpit.people WHERE $family = 'people' AND day BETWEEN $first AND $last
