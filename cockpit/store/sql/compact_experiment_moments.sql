CREATE OR REPLACE TEMP TABLE merged AS
SELECT experiment_id, version, variant_id, epoch, segment, channel, metric, scope, day,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(y) AS y, sum(z) AS z, sum(x) AS x, sum(w) AS w, sum(yy) AS yy, sum(yz)
    AS yz, sum(yx) AS yx, sum(yw) AS yw, sum(zz) AS zz, sum(zx) AS zx, sum(zw) AS zw, sum(xx) AS xx, sum(xw) AS xw,
    sum(ww) AS ww
FROM cockpit.experiment_moments
GROUP BY ALL
HAVING sum(n) <> 0 OR sum(nonzero) <> 0 OR sum(y) <> 0 OR sum(z) <> 0 OR sum(x) <> 0 OR sum(w) <> 0 OR sum(yy) <> 0 OR
    sum(yz) <> 0 OR sum(yx) <> 0 OR sum(yw) <> 0 OR sum(zz) <> 0 OR sum(zx) <> 0 OR sum(zw) <> 0 OR sum(xx) <> 0 OR
    sum(xw) <> 0 OR sum(ww) <> 0;
DELETE FROM cockpit.experiment_moments;
INSERT INTO cockpit.experiment_moments FROM merged ORDER BY ALL;
DROP TABLE merged;
