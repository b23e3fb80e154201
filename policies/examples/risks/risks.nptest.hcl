test "a password to the outside" {
  flow {
    protocol   = "ftp"
    risks      = "cleartext_credentials"
    dst_ip     = "198.51.100.1"
    src_ip     = "192.168.1.2"
    other_type = "other_remote"
  }
  expect {
    policies = ["passwords-in-the-clear"]
    verdict  = "reject"
  }
}

test "one of several risks" {
  flow {
    protocol = "tls"
    risks    = "missing_sni,tls_weak_cipher"
    src_ip   = "192.168.1.2"
  }
  expect {
    policies = ["broken-encryption"]
    labels   = ["broken-encryption"]
    verdict  = "reject"
  }
}

test "old devices may" {
  flow {
    protocol = "tls"
    risks    = "tls_obsolete_version"
    src_ip   = "192.168.60.7"
  }
  expect {
    policies = []
    verdict  = "none"
  }
}

test "no risk, no policy" {
  flow {
    protocol = "tls"
    src_ip   = "192.168.1.2"
  }
  expect {
    policies = []
  }
}

test "odd servers are watched" {
  flow {
    protocol = "tls"
    risks    = "tls_self_signed"
    src_ip   = "192.168.1.2"
    dst_ip   = "198.51.100.1"
  }
  expect {
    policies = ["watch-odd-servers"]
    labels   = ["odd-server"]
    verdict  = "none"
  }
}
