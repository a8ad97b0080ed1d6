DELETE FROM cockpit.day_histograms WHERE family = $family AND day BETWEEN $first AND $last
