test "mark-0x9-tcp-25" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 25
  }
  expect {
    policies = ["mark-0x9-tcp-25", "mark-0x80000003-tcp"]
  }
}

test "mark-0xa-tcp-110" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 110
  }
  expect {
    policies = ["mark-0xa-tcp-110", "mark-0x80000003-tcp"]
  }
}

test "mark-0x77-tcp-26" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 26
  }
  expect {
    policies = ["mark-0x77-tcp-26", "mark-0x80000003-tcp"]
  }
}

test "mark-0x55-192.168.1.10/31-tcp-7000" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.11"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 7000
  }
  expect {
    policies = ["mark-0x55-192.168.1.10/31-tcp-7000", "mark-0x80000003-tcp"]
  }
}

test "class-1.10-tcp-853" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 853
  }
  expect {
    policies = ["class-1.10-tcp-853", "mark-0x80000003-tcp"]
  }
}

test "mark-0x80000003-tcp" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 9
  }
  expect {
    policies = ["mark-0x80000003-tcp"]
  }
}

test "mark-0x1-tcp-80" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 80
  }
  expect {
    policies = ["mark-0x1-tcp-80", "web-traffic"]
  }
}

test "mark-0x2-tcp-8080" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 8080
  }
  expect {
    policies = ["mark-0x80000003-tcp", "mark-0x2-tcp-8080"]
  }
}

test "dscp-cs6-123" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 123
  }
  expect {
    policies = ["mark-0x80000003-tcp", "dscp-cs6-123"]
  }
}

test "mark-0x4-tcp-99" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 99
  }
  expect {
    policies = ["mark-0x80000003-tcp", "mark-0x4-tcp-99"]
  }
}

test "dscp-cs4" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "fd00::10"
    dst_ip      = "2001:db8::1"
    src_port    = 40000
    dst_port    = 9
  }
  expect {
    policies = ["mark-0x80000003-tcp", "dscp-cs4"]
  }
}

test "class-1.10-10.0.0.0/8-udp-5000-5100" {
  flow {
    ip_protocol = "udp"
    src_ip      = "192.168.1.10"
    dst_ip      = "10.0.0.1"
    src_port    = 40000
    dst_port    = 5000
  }
  expect {
    policies = ["class-1.10-10.0.0.0/8-udp-5000-5100"]
  }
}

test "mark-0x20-lan0-tcp-22" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 22
    interface   = "lan0"
  }
  expect {
    policies = ["mark-0x80000003-tcp", "mark-0x20-lan0-tcp-22", "mark-0x7-tcp-22"]
  }
}

test "route-100-192.168.1.5" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.5"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 9
  }
  expect {
    policies = ["mark-0x80000003-tcp", "route-100-192.168.1.5"]
  }
}

test "dscp-ef-udp-5060" {
  flow {
    ip_protocol = "udp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 5060
  }
  expect {
    policies = ["dscp-ef-udp-5060"]
  }
}

test "web-x-first" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 443
  }
  expect {
    policies = ["mark-0x80000003-tcp", "web-x-first"]
  }
}

test "class-1.10-lan0-tcp-5061" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "fd00::10"
    dst_ip      = "2001:db8::1"
    src_port    = 5061
    dst_port    = 9
    interface   = "lan0"
  }
  expect {
    policies = ["mark-0x80000003-tcp", "dscp-cs4", "class-1.10-lan0-tcp-5061"]
  }
}

test "mark-0x30-lan0-udp-3478-3481" {
  flow {
    ip_protocol = "udp"
    src_ip      = "fd00::10"
    dst_ip      = "2001:db8::1"
    src_port    = 40000
    dst_port    = 3478
    interface   = "lan0"
  }
  expect {
    policies = ["dscp-cs4", "mark-0x30-lan0-udp-3478-3481"]
  }
}

test "web-traffic" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 80
  }
  expect {
    policies = ["mark-0x1-tcp-80", "web-traffic"]
  }
}

test "mark-0x7-tcp-22" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 22
  }
  expect {
    policies = ["mark-0x80000003-tcp", "mark-0x7-tcp-22"]
  }
}

test "class-1.10-lan0-tcp-5061-2" {
  flow {
    ip_protocol = "tcp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 5061
    dst_port    = 9
    interface   = "lan0"
  }
  expect {
    policies = ["mark-0x80000003-tcp", "class-1.10-lan0-tcp-5061-2"]
  }
}

test "mark-0x30-lan0-udp-3478-3481-2" {
  flow {
    ip_protocol = "udp"
    src_ip      = "192.168.1.10"
    dst_ip      = "203.0.113.1"
    src_port    = 40000
    dst_port    = 3478
    interface   = "lan0"
  }
  expect {
    policies = ["mark-0x30-lan0-udp-3478-3481-2"]
  }
}
