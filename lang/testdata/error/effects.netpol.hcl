netpol {
  inspect = "everything" # ERROR NP0046: Invalid inspect
  route_mark = "0xf0f" # ERROR NP0016: Invalid mark
  hold_mark = "0xfff" # ERROR NP0016: Invalid mark
  analysed_label = "np-over" # ERROR NP0015: Invalid label name
  label_applications = [["zoom"]] # ERROR NP0013: Wrong type of value
}

policy "lonely arguments" { # WARNING NP0029: Policy has no effect
  criteria      = "true"
  dscp_if_unset = true # ERROR NP0028: Conflicting arguments
  reject_with   = "tcp-reset" # ERROR NP0028: Conflicting arguments
  rate_per      = "host" # ERROR NP0028: Conflicting arguments
  rate_burst    = "64KB" # ERROR NP0028: Conflicting arguments
  quota_per     = "host" # ERROR NP0028: Conflicting arguments
  log_rate      = "1/second" # ERROR NP0028: Conflicting arguments
}

policy "words" {
  criteria    = "true"
  verdict     = "reject"
  reject_with = "icmp-admin-prohib" # ERROR NP0043: Invalid reject_with
  priority    = "1:10000"           # ERROR NP0042: Invalid priority
  log         = "a \"quote\""       # ERROR NP0045: Invalid log prefix
  count       = "flow"              # ERROR NP0044: Invalid rate_per, quota_per or count
  quota       = "5Gbit"             # ERROR NP0134: Invalid quantity
  quota_per   = "flow"              # ERROR NP0044: Invalid rate_per, quota_per or count
}

policy "the answer of nothing" {
  criteria    = "true"
  verdict     = "drop"
  reject_with = "tcp-reset" # ERROR NP0028: Conflicting arguments
}

policy "rates" {
  criteria = "true"
  priority = 16       # ERROR NP0042: Invalid priority
  rate     = "10MB"   # ERROR NP0134: Invalid quantity
  rate_per = "device" # ERROR NP0044: Invalid rate_per, quota_per or count
  log      = 5        # ERROR NP0013: Wrong type of value
  log_rate = "1MB/s"  # ERROR NP0134: Invalid quantity
  count    = ""       # ERROR NP0013: Wrong type of value
}

policy "no time" {
  criteria = "true"
  rate     = 100 # ERROR NP0134: Invalid quantity
}

policy "another time" {
  criteria = "true"
  rate     = "100/fortnight" # ERROR NP0134: Invalid quantity
  quota    = 0               # ERROR NP0023: Number out of range
}

policy "as others write it" {
  criteria = "true"
  rate     = "10Mbps"        # ERROR NP0134: Invalid quantity
  log      = true
  log_rate = "100pps" # ERROR NP0134: Invalid quantity
}

policy "parts" {
  criteria = "true"
  rate     = "0.5/second" # ERROR NP0134: Invalid quantity
}

policy "nothing passes" {
  criteria = "true"
  rate     = "1kB/day" # ERROR NP0023: Number out of range
}

policy "too much" {
  criteria = "true"
  rate     = "200Gbit/s" # ERROR NP0023: Number out of range
}

policy "bursts" {
  criteria   = "true"
  rate       = "100/second"
  rate_burst = "64KB" # ERROR NP0134: Invalid quantity
}

policy "large bursts" {
  criteria   = "true"
  rate       = "5kB/h"
  rate_burst = "1GB" # ERROR NP0023: Number out of range
}

policy "twice over" {
  criteria = "true"
  rate     = "1MB/s" # ERROR NP0028: Conflicting arguments
  verdict  = "drop"
}

policy "misspelt" {
  criteria   = "true"
  rates      = "1MB/s" # ERROR NP0008: Unknown argument
  rate_burst = "64KB"
}
