sink "nowhere" { # ERROR NP0009: Missing required argument
  type = "ipfix"
}

sink "all" {
  type               = "ipfix"
  address            = ":4739" # ERROR NP0049: Invalid sink
  transport          = "sctp" # ERROR NP0049: Invalid sink
  records            = ["flow", "flow_end"] # ERROR NP0049: Invalid sink
  message_size       = 100 # ERROR NP0023: Number out of range
  observation_domain = -1 # ERROR NP0023: Number out of range
  enterprise         = 0 # ERROR NP0023: Number out of range
  template_interval  = "1s" # ERROR NP0049: Invalid sink
  template_messages  = 0 # ERROR NP0023: Number out of range
  ca_file            = "/etc/ssl/ca.pem" # ERROR NP0049: Invalid sink
  encoding           = "json" # ERROR NP0049: Invalid sink
}

sink "half" {
  type    = "ipfix"
  address = "192.0.2.1:4739"
  records = "flow_stats" # ERROR NP0049: Invalid sink
}

sink "no-templates" {
  type              = "tcp"
  address           = "127.0.0.1:1"
  template_interval = "1m" # ERROR NP0049: Invalid sink
}
