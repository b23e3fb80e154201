sink "s" {
  type    = "stdout"
  records = ["flow", "aggregate"] # ERROR NP0049: Invalid sink
}
aggregate "none" { # ERROR NP0009: Missing required argument # ERROR NP0009: Missing required argument
}
aggregate "both" {
  by     = ["application"]
  layout = "netify-1" # ERROR NP0028: Conflicting arguments
  sink   = "s"
}
aggregate "unknown" {
  by   = ["app", "local_ipp", "zzz"] # ERROR NP0051: Invalid aggregate # ERROR NP0051: Invalid aggregate # ERROR NP0051: Invalid aggregate
  sink = "s"
}
aggregate "twice" {
  by   = ["protocol", "protocol"] # ERROR NP0011: Duplicate definition
  sink = "s"
}
aggregate "empty" {
  by   = [] # ERROR NP0041: Empty list
  sink = [] # ERROR NP0041: Empty list
}
aggregate "layout" {
  layout = "netify-6" # ERROR NP0051: Invalid aggregate
  sink   = "s"
}
aggregate "bounds" {
  by       = ["local_ip"]
  interval = "1s" # ERROR NP0051: Invalid aggregate
  top      = 0 # ERROR NP0023: Number out of range
  keys     = 5000000 # ERROR NP0023: Number out of range
  sink     = "s"
}
aggregate "time" {
  by       = ["local_ip"]
  interval = "soon" # ERROR NP0051: Invalid aggregate
  sink     = "s"
}
aggregate "few" {
  by   = ["local_ip"]
  top  = 500
  keys = 100 # ERROR NP0051: Invalid aggregate
  sink = "s"
}
aggregate "healthy" {
  by     = ["local_ip"]
  health = "yes" # ERROR NP0013: Wrong type of value
  sink   = "s"
}
aggregate "much" {
  by     = ["local_ip"]
  health = true
  keys   = 100000 # ERROR NP0051: Invalid aggregate
  sink   = "s"
}
aggregate "told" {
  by     = ["local_ip"]
  health = true
  top    = 70000 # ERROR NP0051: Invalid aggregate
  sink   = "s"
}
aggregate "apart" {
  by             = ["local_ip"]
  policies       = ["p", "p"] # ERROR NP0051: Invalid aggregate # ERROR NP0011: Duplicate definition
  address_groups = ["@g"] # ERROR NP0051: Invalid aggregate
  sink           = "s"
}
aggregate "groups" { # ERROR NP0009: Missing required argument
  by   = ["address_group"]
  sink = "s"
}
aggregate "9" { # ERROR NP0014: Invalid name
  by   = ["local_ip"]
  sink = "s"
}
