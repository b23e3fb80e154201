sink "words" {
  type    = "file"
  path    = "/var/log/netpol/a"
  records = ["flow", "flow_end"]
  details = "onc" # ERROR NP0049: Invalid sink
}

sink "collector" {
  type    = "ipfix"
  address = "192.0.2.1:4739"
  records = ["flow_end"]
  details = "once" # ERROR NP0049: Invalid sink
}

sink "opentelemetry" {
  type    = "otlp"
  url     = "https://collector.example:4318"
  records = ["flow", "flow_end"]
  details = "once" # ERROR NP0049: Invalid sink
}

sink "log-server" {
  type    = "syslog"
  address = "192.0.2.1:514"
  records = ["flow", "flow_end"]
  details = "once" # ERROR NP0049: Invalid sink
}

sink "datagrams" {
  type    = "udp"
  address = "192.0.2.1:7171"
  records = ["flow", "flow_end"]
  details = "once" # ERROR NP0049: Invalid sink
}

sink "not-acknowledged" {
  type    = "mqtt"
  url     = "mqtt://broker.example"
  records = ["flow", "flow_end"]
  details = "once" # ERROR NP0049: Invalid sink
}

sink "not-stored" {
  type    = "nats"
  url     = "nats://broker.example"
  records = ["flow", "flow_end"]
  details = "once" # ERROR NP0049: Invalid sink
}

sink "nothing-before" {
  type    = "file"
  path    = "/var/log/netpol/b"
  records = "flow_end"
  details = "once" # ERROR NP0049: Invalid sink
}
