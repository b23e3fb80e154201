sink "no type" { # ERROR NP0014: Invalid name
  type = "stdout"
}

sink "typeless" { # ERROR NP0009: Missing required argument
  path = "/var/log/x"
}

sink "kinds" {
  type = "files" # ERROR NP0049: Invalid sink
}

sink "pathless" { # ERROR NP0009: Missing required argument
  type = "file"
}

sink "relative" {
  type    = "file"
  path    = "log/flows.jsonl"    # ERROR NP0049: Invalid sink
  address = "127.0.0.1:1"        # ERROR NP0049: Invalid sink
  records = ["flows", "flow", "flow", "policy_match", "flow_purge"] # ERROR NP0049: Invalid sink # ERROR NP0011: Duplicate definition # ERROR NP0048: Invalid sink # ERROR NP0048: Invalid sink
}

sink "sizes" {
  type        = "file"
  path        = "/var/log/netpol/../x" # ERROR NP0049: Invalid sink
  queue       = "1kB"                  # ERROR NP0049: Invalid sink
  rotate_size = "ten"                  # ERROR NP0049: Invalid sink
  rotate_age  = "1"                    # ERROR NP0049: Invalid sink
  interval    = "1s"                   # ERROR NP0049: Invalid sink
  keep        = 5000                   # ERROR NP0023: Number out of range
  addresses   = "hashed"               # ERROR NP0049: Invalid sink
  names       = "none"                 # ERROR NP0049: Invalid sink
}

sink "socket" {
  type        = "unix"
  path        = "/run/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" # ERROR NP0049: Invalid sink
  rotate_size = "10MB" # ERROR NP0049: Invalid sink
}

sink "port" {
  type    = "tcp"
  address = "127.0.0.1" # ERROR NP0049: Invalid sink
}

sink "good" {
  type = "stdout"
}

sink "good" { # ERROR NP0011: Duplicate definition
  type = "stdout"
}

policy "twice" {
  criteria = "app == 'zoom'"
  notify   = ["good", "good"] # ERROR NP0011: Duplicate definition
}
