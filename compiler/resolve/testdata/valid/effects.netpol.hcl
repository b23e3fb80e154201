policy "all" {
  criteria      = "app == 'zoom'"
  dscp          = "cs5"
  dscp_if_unset = true
  verdict       = "reject"
  reject_with   = "icmp-port-unreachable"
  priority      = "1:10"
  log           = true
  count         = true
  quota         = "5GB"
}

policy "rates" {
  criteria   = "app == 'zoom'"
  rate       = "10Mbit/s"
  rate_per   = "host"
  rate_burst = "1MB"
  log        = "guests:"
  log_rate   = "30/minute"
  count      = "host"
  quota      = "1GiB"
  quota_per  = "host"
  verdict    = "accept"
}

policy "packets" {
  criteria = "app == 'zoom'"
  rate     = "100/second"
  rate_per = "flow"
  log      = true
  log_rate = "none"
}
