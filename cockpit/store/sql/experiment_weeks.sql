-- Moments of what profiles did within a week, of all who were exposed until its end.
WITH moments AS (
    FROM cockpit.experiment_moments WHERE experiment_id = $experiment_id AND version = $version AND scope = 'week'
),
exposed AS (
    SELECT variant_id, day, sum(CASE metric WHEN 'exposed' THEN n WHEN 'mixed' THEN -n END) AS n
    FROM cockpit.experiment_moments
    WHERE experiment_id = $experiment_id AND version = $version AND scope = 'exposed'
    GROUP BY ALL
),
counted AS (
    SELECT weeks.week, exposed.variant_id, sum(n)::HUGEINT AS n
    FROM (SELECT DISTINCT day AS week FROM moments) AS weeks JOIN exposed ON exposed.day < weeks.week + 7
    GROUP BY ALL
)
SELECT
    counted.week, counted.variant_id, metrics.metric, counted.n,
    coalesce(sum(moments.nonzero), 0)::HUGEINT AS nonzero, coalesce(sum(moments.y), 0)::HUGEINT AS y,
    coalesce(sum(moments.z), 0)::HUGEINT AS z, coalesce(sum(moments.x), 0)::HUGEINT AS x, coalesce(sum(moments.w),
    0)::HUGEINT AS w, coalesce(sum(moments.yy), 0)::HUGEINT AS yy, coalesce(sum(moments.yz), 0)::HUGEINT AS yz,
    coalesce(sum(moments.yx), 0)::HUGEINT AS yx, coalesce(sum(moments.yw), 0)::HUGEINT AS yw,
    coalesce(sum(moments.zz), 0)::HUGEINT AS zz, coalesce(sum(moments.zx), 0)::HUGEINT AS zx,
    coalesce(sum(moments.zw), 0)::HUGEINT AS zw, coalesce(sum(moments.xx), 0)::HUGEINT AS xx,
    coalesce(sum(moments.xw), 0)::HUGEINT AS xw, coalesce(sum(moments.ww), 0)::HUGEINT AS ww
FROM counted
CROSS JOIN (SELECT DISTINCT metric FROM moments) AS metrics
LEFT JOIN moments
    ON moments.day = counted.week AND moments.variant_id = counted.variant_id AND moments.metric = metrics.metric
GROUP BY ALL
ORDER BY ALL
