sink "encoding" {
  type     = "file"
  path     = "/var/log/netpol/a"
  encoding = "msgpak" # ERROR NP0049: Invalid sink
}

sink "text-only" {
  type     = "syslog"
  address  = "192.0.2.1:514"
  encoding = "msgpack" # ERROR NP0049: Invalid sink
}
