-- Moments as of the end of a day, by what is asked for; of metrics with a window only those whose time was over before today.
SELECT
    variant_id, metric, CASE WHEN list_contains($by, 'segment') THEN segment END AS segment,
    CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
    CASE WHEN list_contains($by, 'epoch') THEN epoch END AS epoch,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(y) AS y, sum(z) AS z, sum(x) AS x, sum(w) AS w, sum(yy) AS yy, sum(yz)
    AS yz, sum(yx) AS yx, sum(yw) AS yw, sum(zz) AS zz, sum(zx) AS zx, sum(zw) AS zw, sum(xx) AS xx, sum(xw) AS xw,
    sum(ww) AS ww
FROM cockpit.experiment_moments
WHERE experiment_id = $experiment_id AND version = $version AND scope = 'since_start' AND day <= $until
    AND (day < $today OR NOT list_contains($windowed, metric))
GROUP BY ALL
ORDER BY ALL
