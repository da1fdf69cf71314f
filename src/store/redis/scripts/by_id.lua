-- ARGV[2]: the session's id.
return read(ARGV[2])
