-- ARGV[2]: the session's id.
forget(ARGV[2])
