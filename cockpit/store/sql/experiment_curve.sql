-- What each day added.
SELECT
    day, variant_id, metric,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(y) AS y, sum(z) AS z, sum(x) AS x, sum(w) AS w, sum(yy) AS yy, sum(yz)
    AS yz, sum(yx) AS yx, sum(yw) AS yw, sum(zz) AS zz, sum(zx) AS zx, sum(zw) AS zw, sum(xx) AS xx, sum(xw) AS xw,
    sum(ww) AS ww
FROM cockpit.experiment_moments
WHERE experiment_id = $experiment_id AND version = $version AND scope = 'since_start'
    AND (len($metrics) = 0 OR list_contains($metrics, metric)) AND (day < $today OR NOT list_contains($windowed, metric))
GROUP BY ALL
ORDER BY ALL
