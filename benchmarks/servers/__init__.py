"""The servers that `benchmarks.fanout` compares. Each one reads the rate, in frames a second, from its stdin."""
