package fixed

// databaseRows: databases.
func databaseRows() []row {
	return []row{
		{"mysql", nil, all(betweenLE(0, 3, 30, 512), at(3, "\x00\x0a"), in(5, digits), in(6, digits+"."), has(".", 12)), nil, "MySQL protocol, HandshakeV10"},
		{"mysql", ports(3306), all(betweenLE(0, 3, 4, 512), at(3, "\x00\xff")), nil, "MySQL protocol, ERR packet"},
		{"postgresql", nil, all(at(0, "\x00\x00\x00\x08\x04\xd2\x16"), in(7, "\x2f\x30")), nil, "PostgreSQL SSLRequest, GSSENCRequest"},
		{"postgresql", nil, all(at(0, "\x00\x00\x00\x10\x04\xd2\x16\x2e")), nil, "PostgreSQL CancelRequest"},
		{"postgresql", nil, all(at(0, "\x00\x00"), at(4, "\x00\x03\x00"), in(7, "\x00\x02"), has("user\x00", 128)), nil, "PostgreSQL StartupMessage"},
		{"mssql", nil, all(at(0, "\x12\x01"), at(4, "\x00\x00"), at(7, "\x00\x00\x00"), at(11, "\x00\x06")), nil, "MS-TDS 2.2.6.5"},
		{"mssql", ports(1433), all(at(0, "\x10\x01"), at(4, "\x00\x00"), in(15, "\x70\x71\x72\x73\x74")), nil, "MS-TDS 2.2.6.4"},
		{"oracle", nil, all(at(2, "\x00\x00\x01"), at(6, "\x00\x00"), between(8, 2, 0x0100, 0x0140), has("(DESCRIPTION=", 512)), nil, "Oracle Net TNS connect"},
		{"oracle", nil, all(at(2, "\x00\x00\x01"), at(6, "\x00\x00"), between(8, 2, 0x0100, 0x0140), has("(CONNECT_DATA=", 512)), nil, "Oracle Net TNS connect"},
		{"oracle", ports(1521), all(at(2, "\x00\x00\x01"), at(6, "\x00\x00"), between(8, 2, 0x0100, 0x0140)), nil, "Oracle Net TNS connect"},
		{"mongodb", nil, all(betweenLE(0, 3, 21, 1<<23), at(3, "\x00"), at(12, "\xdd\x07\x00\x00")), nil, "MongoDB OP_MSG"},
		{"mongodb", nil, all(betweenLE(0, 3, 21, 1<<23), at(3, "\x00"), at(12, "\xd4\x07\x00\x00")), nil, "MongoDB OP_QUERY"},
		{"mongodb", nil, all(betweenLE(0, 3, 21, 1<<23), at(3, "\x00"), at(12, "\xdc\x07\x00\x00")), nil, "MongoDB OP_COMPRESSED"},
		{"cassandra", nil, all(in(0, "\x01\x02\x03\x04\x05\x42"), has("CQL_VERSION", 64)), nil, "CQL native protocol, STARTUP"},
		{"cassandra", nil, all(in(0, "\x03\x04\x05\x42"), at(4, "\x05\x00\x00\x00\x00")), all(in(0, "\x83\x84\x85\xc2"), at(4, "\x06\x00\x00")), "CQL native protocol, OPTIONS"},
		{"redis", nil, all(at(0, "*"), in(1, "123456789"), has("\r\n$", 8)), nil, "Redis RESP"},
		{"redis", nil, all(fold(0, "PING\r\n")), all(at(0, "+PONG\r\n")), "Redis inline command"},
		{"redis", ports(6379), all(fold(0, "INFO")), all(at(0, "$"), in(1, digits)), "Redis inline command"},
		{"memcached", nil, all(at(0, "stats"), in(5, " \r")), all(at(0, "STAT ")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "version\r\n")), all(at(0, "VERSION ")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "get"), in(3, " s")), all(at(0, "VALUE ")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "get"), in(3, " s")), all(at(0, "END\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "set ")), all(at(0, "STORED\r\n")), "memcached protocol.txt"},
		{"memcached", ports(11211), all(in(0, "\x80\x81"), between(1, 1, 0, 0x44), between(4, 1, 0, 20), at(5, "\x00")), nil, "memcached binary protocol"},
		{"clickhouse", nil, all(at(0, "\x00"), at(2, "ClickHouse")), nil, "ClickHouse native protocol, Hello"},
		{"drda", nil, all(at(2, "\xd0"), at(8, "\x10\x41")), nil, "DRDA EXCSAT"},
		{"elasticsearch", nil, all(at(0, "ES\x00\x00"), at(6, "\x00\x00\x00\x00")), nil, "Elasticsearch transport header"},
		{"z3950", ports(210), all(at(0, "\xb4"), has("\x83\x02", 16), has("\x84\x02", 24)), nil, "ANSI/NISO Z39.50 InitializeRequest"},
		{"z3950", ports(210), all(at(0, "\xb4"), has("\x83\x02", 16), has("\x84\x03", 24)), nil, "ANSI/NISO Z39.50 InitializeRequest"},
	}
}

// middlewareRows: message brokers and remote procedure calls.
func middlewareRows() []row {
	return []row{
		{"amqp", nil, all(at(0, "AMQP"), in(4, "\x00\x01\x02\x03"), in(5, "\x00\x01"), in(6, "\x00\x08\x09\x0a")), nil, "AMQP 0-9-1 section 4.2.2, AMQP 1.0 section 2.2"},
		{"amqp", ports(5672), all(in(0, "\x01\x02\x03"), at(1, "\x00"), skip(3, 4, 1, 7), at(0, "\xce")), nil, "AMQP 0-9-1 section 4.2.3, a frame and its end"},
		{"mqtt", nil, all(at(0, "\x10"), at(2, "\x00\x04MQTT"), in(8, "\x04\x05")), nil, "MQTT 3.1.1 section 3.1"},
		{"mqtt", nil, all(at(0, "\x10"), at(3, "\x00\x04MQTT"), in(9, "\x04\x05")), nil, "MQTT 3.1.1 section 3.1"},
		{"mqtt", nil, all(at(0, "\x10"), at(2, "\x00\x06MQIsdp\x03")), nil, "MQTT 3.1"},
		{"mqtt", nil, all(at(0, "\x10"), at(3, "\x00\x06MQIsdp\x03")), nil, "MQTT 3.1"},
		{"mqtt", ports(1883), all(at(0, "\x20\x02"), in(2, "\x00\x01"), between(3, 1, 0, 5)), nil, "MQTT 3.1.1 section 3.2"},
		{"nats", nil, all(at(0, "INFO {"), has("\"server_id\"", 512)), nil, "NATS client protocol"},
		{"nats", nil, all(at(0, "CONNECT {")), nil, "NATS client protocol"},
		{"stomp", nil, all(at(0, "STOMP"), in(5, "\r\n"), has("accept-version:", 256)), nil, "STOMP 1.2, CONNECT"},
		{"stomp", nil, all(at(0, "CONNECT"), in(7, "\r\n")), nil, "STOMP 1.2, CONNECT"},
		{"stomp", nil, all(at(0, "CONNECTED"), in(9, "\r\n"), has("version:", 256)), nil, "STOMP 1.2, CONNECTED"},
		{"kafka", nil, all(at(0, "\x00\x00"), at(4, "\x00\x12\x00"), between(7, 1, 0, 4), at(8, "\x00\x00"), at(12, "\x00"), length(0, 4, 4)), nil, "Kafka protocol, ApiVersions request"},
		{"kafka", ports(9092, 9093, 9094), all(at(0, "\x00\x00"), at(4, "\x00"), between(5, 1, 0, 90), at(6, "\x00"), between(7, 1, 0, 20), at(8, "\x00\x00")), nil, "Kafka protocol, request header"},
		{"openwire", nil, all(at(4, "\x01ActiveMQ")), nil, "OpenWire WireFormatInfo"},
		{"zeromq", nil, all(at(0, "\xff\x00\x00\x00\x00\x00\x00\x00"), in(8, "\x00\x01"), at(9, "\x7f")), nil, "ZMTP 3.1 greeting"},
		{"thrift", nil, all(at(0, "\x80\x01\x00"), in(3, "\x01\x02\x03\x04"), at(4, "\x00\x00\x00")), nil, "Thrift binary protocol"},
		{"thrift", nil, all(at(0, "\x00"), at(4, "\x80\x01\x00"), in(7, "\x01\x02\x03\x04"), at(8, "\x00\x00\x00")), nil, "Thrift framed transport"},
		{"gearman", nil, all(at(0, "\x00REQ\x00\x00\x00")), nil, "Gearman binary protocol"},
		{"gearman", nil, all(at(0, "\x00RES\x00\x00\x00")), nil, "Gearman binary protocol"},
		{"corba", nil, all(at(0, "GIOP\x01"), in(5, "\x00\x01\x02\x03")), nil, "CORBA 3.3 part 2, GIOP header"},
		{"java-rmi", nil, all(at(0, "JRMI\x00"), in(5, "\x01\x02"), in(6, "\x4b\x4c\x4d")), nil, "Java RMI wire protocol"},
		{"ajp", nil, all(at(0, "\x12\x34"), at(4, "\x02"), between(5, 1, 1, 27)), nil, "AJPv13 forward request"},
		{"ajp", nil, all(at(0, "\x12\x34\x00\x01\x0a")), nil, "AJPv13 CPing"},
		{"fastcgi", nil, all(at(0, "\x01\x01"), at(4, "\x00\x08\x00"), at(8, "\x00"), in(9, "\x01\x02\x03")), nil, "FastCGI begin request"},
		{"dcerpc", nil, all(at(0, "\x05\x00"), in(2, "\x0b\x0c\x0e"), at(4, "\x10\x00\x00\x00")), nil, "DCE 1.1 RPC, bind"},
		{"dcerpc", nil, all(at(0, "\x05\x00"), in(2, "\x00\x02\x03"), in(3, "\x03\x83"), at(4, "\x10\x00\x00\x00")), nil, "DCE 1.1 RPC, request"},
		{"rpcbind", nil, all(in(0, "\x80"), at(8, "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0")), nil, "RFC 5531, RFC 1833"},
		{"smpp", nil, all(at(0, "\x00\x00\x00"), at(4, "\x00\x00\x00"), in(7, "\x01\x02\x09"), at(8, "\x00\x00\x00\x00\x00\x00"), length(0, 4, 0)), nil, "SMPP 3.4 section 4.1"},
		{"zabbix", nil, all(at(0, "ZBXD"), in(4, "\x01\x03\x05\x07")), nil, "Zabbix header"},
	}
}

// storageRows: files and blocks.
func storageRows() []row {
	return []row{
		{"smb", nil, all(at(0, "\x00"), in(4, "\xff\xfe\xfd\xfc"), at(5, "SMB")), nil, "MS-SMB2 2.1, 2.2.1"},
		{"smb", nil, all(at(0, "\x81\x00"), skip(2, 2, 1, 4), at(0, "\x00"), in(4, "\xff\xfe"), at(5, "SMB")), nil, "RFC 1002 section 4.3, MS-SMB 2.2.3.1"},
		{"nfs", nil, all(in(0, "\x80\x00"), at(8, "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86"), in(19, "\xa3\xa5\xb5")), nil, "RFC 5531 section 9, RFC 1813"},
		{"afp", ports(548), all(at(0, "\x00"), in(1, "\x03\x04"), at(4, "\x00\x00\x00\x00")), nil, "AFP, DSI header"},
		{"iscsi", nil, all(at(0, "\x43"), at(2, "\x00\x00"), has("InitiatorName=", 256)), nil, "RFC 7143 section 11.12"},
		{"ceph", nil, all(at(0, "ceph v"), in(6, digits)), nil, "Ceph messenger banner"},
		{"jetdirect", nil, all(at(0, "\x1b%-12345X")), nil, "HP PJL universal exit"},
		{"ms-delivery-optimization", nil, all(at(0, "\x0eSwarm protocol")), nil, "MS-DO handshake"},
		{"ipfs", nil, all(at(0, "\x13/multistream/1.0.0\n")), nil, "libp2p multistream-select"},
		{"dicom", nil, all(at(0, "\x01\x00"), at(6, "\x00\x01\x00\x00"), at(74, "\x10\x00")), nil, "DICOM PS3.8 section 9.3.2"},
	}
}
