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

sink "syslog" {
  type     = "syslog"
  address  = "192.0.2.1:514"
  compress = "gzip" # ERROR NP0049: Invalid sink
}

sink "pages" {
  type     = "websocket"
  address  = "192.0.2.1:7443"
  compress = "gzip" # ERROR NP0049: Invalid sink
}

sink "alone" {
  type     = "mqtt"
  url      = "mqtt://broker.example"
  compress = "gzip" # ERROR NP0028: Conflicting arguments
}

sink "batches" {
  type    = "kafka"
  address = "one.example:9092"
  batch   = 100 # ERROR NP0049: Invalid sink
}

sink "stream" {
  type  = "file"
  path  = "/var/log/netpol/a"
  batch = 100 # ERROR NP0049: Invalid sink
}

sink "request" {
  type  = "http"
  url   = "https://collector.example"
  batch = 100 # ERROR NP0049: Invalid sink
}

sink "many" {
  type  = "nats"
  url   = "nats://broker.example"
  batch = 100000 # ERROR NP0023: Number out of range
}
