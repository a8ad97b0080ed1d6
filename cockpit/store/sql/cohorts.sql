SELECT cohort, age, buyers FROM cockpit.cohorts WHERE period = $period ORDER BY cohort, age
