# peer.pcap is from "netpol demo --record": a peer, the DHT, and noise.

test "BitTorrent yields" {
  flow {
    protocol = "bittorrent"
  }
  expect {
    policies = ["bittorrent-last"]
    labels   = ["bulk"]
    dscp     = "le"
  }
}

test "other sharing networks yield the older way" {
  flow {
    category = "file-sharing"
  }
  expect {
    policies = ["file-sharing-last"]
    labels   = ["sharing"]
    dscp     = "cs1"
  }
}

test "a web site does not" {
  flow {
    protocol = "tls"
    hostname = "www.example.org"
  }
  expect {
    policies = []
  }
}

test "peers and the DHT are recognised on any port" {
  pcap  = "peer.pcap"
  where = "protocol == 'bittorrent'"
  count = 2
  expect {
    labels = ["bulk"]
  }
}
