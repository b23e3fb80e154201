sink "deaf" { # ERROR NP0009: Missing required argument
  type = "udp"
}

sink "no-host" {
  type    = "udp"
  address = ":7171" # ERROR NP0049: Invalid sink
}

sink "no-socket" { # ERROR NP0009: Missing required argument
  type = "unixgram"
}
