stray = 1 # ERROR NP0008: Unknown argument

netpol {}

netpol { # ERROR NP0011: Duplicate definition
}

netpol "name" { # ERROR NP0010: Wrong number of block names
}

polcy "x" { # ERROR NP0007: Unknown block type
}

policy { # ERROR NP0010: Wrong number of block names
}

policy "a" "b" { # ERROR NP0010: Wrong number of block names
}

policy "no criteria" { # ERROR NP0009: Missing required argument
  lable = "x"          # ERROR NP0008: Unknown argument
  label = "x"
}

# What was misspelt is not missing as well.
policy "misspelt" {
  criterea = "true" # ERROR NP0008: Unknown argument
  lable    = "x"    # ERROR NP0008: Unknown argument
}

policy "as blocks" {
  criteria {} # ERROR NP0007: Unknown block type
  verdict {}  # ERROR NP0007: Unknown block type
}

policy "twice" {
  criteria = "true"
  label    = "x"
}

policy "twice" { # ERROR NP0011: Duplicate definition
  criteria = "true"
  label    = "x"
}

policy "x\"; flush ruleset" { # ERROR NP0014: Invalid name
  criteria = "true"
  label    = "x"
}

policy " x" { # ERROR NP0014: Invalid name
  criteria = "true"
  label    = "x"
}

policy "" { # ERROR NP0014: Invalid name
  criteria = "true"
  label    = "x"
}

policy "tab\tin" { # ERROR NP0014: Invalid name
  criteria = "true"
  label    = "x"
}

address_group "1a" { # ERROR NP0014: Invalid name
  members = []
}

address_group "none" { # ERROR NP0009: Missing required argument
}

address_group "bad" {
  members = [
    "10.0.0.1/8",    # ERROR NP0020: Host bits set
    "10.0.0",        # ERROR NP0019: Invalid address
    "::ffff:0:0/96", # ERROR NP0019: Invalid address
    "fe80::1%eth0",  # ERROR NP0019: Invalid address
    ["10.0.0.1"],    # ERROR NP0013: Wrong type of value
  ]
}

address_group "bad" { # ERROR NP0011: Duplicate definition
  members = []
}

application "Big" { # ERROR NP0014: Invalid name
}

application "app" {
  domains = [
    "*.zoom.us",  # ERROR NP0022: Invalid domain
    ".zoom.us",   # ERROR NP0022: Invalid domain
    "zoom..us",   # ERROR NP0022: Invalid domain
    "b\u00fc.de", # ERROR NP0022: Invalid domain
    "",           # ERROR NP0022: Invalid domain
  ]
  ports = [
    "443",       # ERROR NP0021: Invalid port
    "icmp/1",    # ERROR NP0021: Invalid port
    "tcp/0",     # ERROR NP0021: Invalid port
    "tcp/65536", # ERROR NP0021: Invalid port
    "tcp/9-8",   # ERROR NP0021: Invalid port
  ]
  networks = "10.0.0.0/8" # ERROR NP0013: Wrong type of value
}

application "app" { # ERROR NP0011: Duplicate definition
}

category "own" {}

category "own" { # ERROR NP0011: Duplicate definition
}
