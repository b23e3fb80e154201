# hellos.pcap is from "netpol demo --record": one session of TLS 1.2, one of 1.3.

test "TLS 1.0 and 1.1 are reset" {
  flow {
    protocol    = "tls"
    tls_version = "1.0"
    local_ip    = "192.168.1.41"
  }
  flow {
    protocol    = "tls"
    tls_version = "1.1"
    local_ip    = "fd00:1::41"
  }
  expect {
    policies = ["weak-tls"]
    labels   = ["weak-tls"]
    verdict  = "reject"
  }
}

test "not for the old printer" {
  flow {
    protocol    = "tls"
    tls_version = "1.0"
    local_ip    = "192.168.1.40"
  }
  flow {
    protocol    = "tls"
    tls_version = "1.0"
    local_ip    = "fd00:1::40"
  }
  expect {
    policies = []
    verdict  = "none"
  }
}

test "what is not TLS is none of its business" {
  flow {
    protocol = "http"
  }
  expect {
    policies = []
  }
}

test "the versions of real hellos" {
  pcap = "hellos.pcap"
  expect {
    protocol = "tls"
    verdict  = "none"
  }
}

test "the older of them" {
  pcap  = "hellos.pcap"
  where = "tls_version == '1.2'"
  count = 1
  expect {
    hostname = "zoom.us"
  }
}
