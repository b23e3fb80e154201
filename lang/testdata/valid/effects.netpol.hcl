netpol {
  inspect = "all"
}

variable "log" { default = "true" }

policy "all" {
  criteria      = "app == 'zoom'"
  dscp          = "cs5"
  dscp_if_unset = true
  verdict       = "reject"
  reject_with   = "icmp-port-unreachable"
  priority      = "01:0A"
  log           = true
  count         = true
  quota         = "5GB"
}

policy "rates" {
  criteria   = "app == 'zoom'"
  rate       = "10Mbit/s"
  rate_per   = "host"
  rate_burst = "1MB"
  priority   = "1:"
  log        = "guests:"
  log_rate   = "30/minute"
  count      = "host"
  quota      = 5000
  quota_per  = "host"
}

policy "bits" {
  criteria = "true"
  rate     = "800Mbit"
  rate_per = "policy"
  priority = "0:6"
  log      = "with a space "
  log_rate = "none"
  count    = "policy"
}

policy "packets" {
  criteria   = "true"
  rate       = "100 packets/s"
  rate_per   = "flow"
  rate_burst = 20
  priority   = 6
}

policy "many packets" {
  criteria = "true"
  rate     = "2k/second"
}

policy "slow" {
  criteria = "true"
  rate     = "10MB/day"
}

policy "slower" {
  criteria = "true"
  rate     = "5kB/h"
}

policy "minute" {
  criteria = "true"
  rate     = "100kB/minute"
}

policy "not at all" {
  criteria  = "true"
  log       = false
  log_rate  = "1/hour"
  count     = false
  quota     = null
  quota_per = "host"
  rate      = null
  rate_per  = "flow"
}

policy "from a variable" {
  criteria = "true"
  log      = var.log
}

policy "waits" {
  criteria = "app == 'zoom'"
  verdict  = "drop"
  hold     = true
}

policy "does not wait" {
  criteria = "app == 'zoom'"
  verdict  = "drop"
  hold     = false
}

policy "waits-for-nothing-yet" {
  criteria = "app == 'zoom'"
  verdict  = "drop"
  audit    = true
  hold     = true
}
