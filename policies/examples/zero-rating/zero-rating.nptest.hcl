test "films and books are in the price" {
  flow {
    application = "netflix"
  }
  flow {
    application = "wikipedia"
  }
  flow {
    hostname = "library.example.org"
  }
  expect {
    mark = "0x10/0x10"
  }
}

test "everything else is counted" {
  flow {
    application = "youtube"
  }
  flow {
    hostname = "example.org"
  }
  expect {
    policies = []
    mark     = "0/0x10"
  }
}
