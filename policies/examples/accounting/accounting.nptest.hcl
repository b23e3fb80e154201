test "films are in the price" {
  flow {
    application = "netflix"
    local_ip    = "192.168.10.7"
  }
  flow {
    hostname = "ipv4-c001-fra001-ix.1.oca.nflxvideo.net"
    local_ip = "2001:db8:10::7"
  }
  expect {
    policies = ["in-the-price"]
    labels   = ["in-the-price"]
  }
}

test "other films are not" {
  flow {
    application = "youtube"
    local_ip    = "192.168.10.7"
  }
  expect {
    policies = []
    labels   = []
  }
}
