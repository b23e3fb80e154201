# What becomes of Zoom, and of what looks like it. call.pcap is the generated
# call of "netpol demo --record", the first packets of each connection.

test "a call is labelled and marked" {
  flow {
    application = "zoom"
    src_ip      = "192.168.1.117"
    dst_ip      = "144.195.33.99"
    dst_port    = 8801
    ip_protocol = "udp"
  }
  flow {
    application = "zoom"
    src_ip      = "fd00:1::117"
    dst_ip      = "2620:123:2001::99"
    ip_protocol = "udp"
  }
  expect {
    policies = ["prioritize-zoom"]
    labels   = ["zoom"]
    dscp     = "cs5"
    verdict  = "none"
  }
}

test "signalling is recognised by name" {
  flow {
    protocol = "tls"
    hostname = "us04web.zoom.us"
  }
  expect {
    application = "zoom"
    category    = "voip-conferencing"
    by          = "sni"
    policies    = ["prioritize-zoom"]
  }
}

test "names that only look like Zoom are left alone" {
  flow {
    protocol = "tls"
    hostname = "notzoom.us"
  }
  flow {
    protocol = "tls"
    hostname = "www.zoom.com.br"
  }
  flow {
    protocol     = "dns"
    dns_hostname = "zoom.us"
  }
  expect {
    policies = []
    labels   = []
    dscp     = "none"
  }
}

test "all of a captured call, and nothing else" {
  pcap  = "call.pcap"
  where = "app == 'zoom'"
  count = 6
  expect {
    policies = ["prioritize-zoom"]
    dscp     = "cs5"
  }
}

test "the rest of the capture" {
  pcap  = "call.pcap"
  where = "app != 'zoom'"
  count = 10
  expect {
    policies = []
  }
}

test "media is recognised by its bytes" {
  pcap = "call.pcap"
  flow = "udp 192.168.1.117:58327 144.195.33.99:8801"
  expect {
    application = "zoom"
    protocol    = "zoom-media"
    by          = "payload"
    labels      = ["zoom"]
  }
}
