sink "zipped" {
  type     = "unix"
  path     = "/run/netpol/s"
  compress = "zip" # ERROR NP0049: Invalid sink
}

sink "one-by-one" {
  type     = "udp"
  address  = "192.0.2.1:1"
  compress = "gzip" # ERROR NP0049: Invalid sink
}
