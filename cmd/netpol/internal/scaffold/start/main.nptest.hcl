# Tests of the policies: `netpol test` runs them without a router. More of them:
# https://github.com/netpol/netpol/blob/main/docs/testing.md

test "a call goes first" {
  flow {
    app    = "zoom"
    src_ip = "192.168.1.10"
  }
  expect {
    policies = ["calls-first"]
    labels   = ["calls"]
    dscp     = "ef"
  }
}

test "a backup waits" {
  flow {
    ip_protocol = "tcp"
    dst_port    = 873
    src_ip      = "192.168.1.10"
  }
  expect {
    policies = ["backups-last"]
    dscp     = "cs1"
  }
}

test "the port alone is not enough" {
  flow {
    ip_protocol = "udp"
    dst_port    = 873
  }
  expect {
    policies = []
  }
}

test "a guest's torrent" {
  flow {
    protocol = "bittorrent"
    src_ip   = "192.168.50.7"
  }
  expect {
    policies = ["no-torrents-for-guests"]
  }
}

test "somebody else's torrent" {
  flow {
    protocol = "bittorrent"
    src_ip   = "192.168.1.10"
  }
  expect {
    policies = []
  }
}

test "a guest's web page" {
  flow {
    protocol = "tls"
    src_ip   = "192.168.50.7"
  }
  expect {
    policies = []
  }
}
