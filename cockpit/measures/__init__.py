"""What sums. Law: rollup(a ++ b) == merge(rollup(a), rollup(b)), so micro-batch boundaries change nothing."""
