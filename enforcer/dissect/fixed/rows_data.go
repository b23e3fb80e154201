package fixed

// Formats of a DSS and high bytes of code points of DRDA (DRDA volume 3).
const (
	drdaFormats  = "\x01\x02\x03\x41\x42\x43\x51\x53"
	drdaRequests = "\x10\x11\x20\x21\x24"
	drdaAnswers  = "\x12\x14\x22\x24"
)

// databaseRows: databases.
func databaseRows() []row {
	return []row{
		{"mysql", nil, all(betweenLE(0, 3, 30, 512), at(3, "\x00\x0a"), in(5, digits), in(6, digits+"."), has(".", 12)), nil, "MySQL protocol, HandshakeV10"},
		{"mysql", ports(3306), all(betweenLE(0, 3, 4, 512), at(3, "\x00\xff")), nil, "MySQL protocol, ERR packet"},
		{"mysql", nil, all(betweenLE(0, 3, 32, 4096), at(3, "\x01"), masked(5, "\x02", "\x02"), between(12, 1, 1, 255), at(13, repeat("\x00", 19))), nil, "MySQL protocol, HandshakeResponse41 and SSLRequest"},
		{"mysql", ports(33060), all(betweenLE(0, 4, 1, 1<<16), in(4, "\x00\x01\x02\x04\x0b")), nil, "MySQL X protocol, the first messages of either side"},
		{"postgresql", nil, all(at(0, "\x00\x00\x00\x08\x04\xd2\x16"), in(7, "\x2f\x30")), nil, "PostgreSQL SSLRequest, GSSENCRequest"},
		{"postgresql", nil, all(at(0, "\x00\x00"), between(2, 2, 16, 268), at(4, "\x04\xd2\x16\x2e")), nil, "PostgreSQL CancelRequest, keys of up to 256 bytes in protocol 3.2"},
		{"postgresql", nil, all(at(0, "\x00\x00\x01\x28\x00\x02\x00\x00")), nil, "PostgreSQL 7.3 protocol 2.0, StartupPacket"},
		{"postgresql", nil, all(at(0, "R\x00\x00\x00"), between(4, 1, 8, 128), at(5, "\x00\x00\x00"), in(8, "\x00\x03\x05\x07\x09\x0a")), nil, "PostgreSQL AuthenticationRequest"},
		{"postgresql", nil, all(at(0, "\x00\x00"), at(4, "\x00\x03\x00"), in(7, "\x00\x02"), has("user\x00", 128)), nil, "PostgreSQL StartupMessage"},
		{"mssql", nil, all(at(0, "\x12\x01"), at(4, "\x00\x00"), at(7, "\x00\x00\x00"), at(11, "\x00\x06")), nil, "MS-TDS 2.2.6.5"},
		{"mssql", nil, all(at(0, "\x04\x01"), at(4, "\x00\x00"), in(6, "\x00\x01"), at(7, "\x00\x00\x00"), at(11, "\x00\x06")), nil, "MS-TDS 2.2.6.5, the server's"},
		{"mssql", ports(1433), all(at(0, "\x10\x01"), at(4, "\x00\x00"), in(15, "\x70\x71\x72\x73\x74")), nil, "MS-TDS 2.2.6.4"},
		{"mssql", ports(1433), all(in(0, "\x01\x03\x0e"), in(1, "\x00\x01\x08\x09"), between(2, 2, 8, 32767), at(7, "\x00"), length(2, 2, 0)), nil, "MS-TDS 2.2.3.1, packet header of a request seen midway"},
		{"mssql", ports(1433), all(at(0, "\x04"), in(1, "\x00\x01"), between(2, 2, 8, 32767), at(7, "\x00"), length(2, 2, 0)), nil, "MS-TDS 2.2.3.1, packet header of an answer seen midway"},
		{"oracle", nil, all(at(2, "\x00\x00\x01"), at(6, "\x00\x00"), between(8, 2, 0x0100, 0x0140), has("(DESCRIPTION=", 512)), nil, "Oracle Net TNS connect"},
		{"oracle", nil, all(at(2, "\x00\x00\x01"), at(6, "\x00\x00"), between(8, 2, 0x0100, 0x0140), has("(CONNECT_DATA=", 512)), nil, "Oracle Net TNS connect"},
		{"oracle", ports(1521), all(at(2, "\x00\x00\x01"), at(6, "\x00\x00"), between(8, 2, 0x0100, 0x0140)), nil, "Oracle Net TNS connect"},
		{"oracle", ports(1521), all(at(2, "\x00\x00"), in(4, "\x02\x04\x05\x0b"), at(6, "\x00\x00"), length(0, 2, 0)), nil, "Oracle Net TNS accept, refuse, redirect, resend"},
		{"mongodb", nil, all(betweenLE(0, 3, 21, 1<<23), at(3, "\x00"), at(12, "\xdd\x07\x00\x00")), nil, "MongoDB OP_MSG"},
		{"mongodb", nil, all(betweenLE(0, 3, 21, 1<<23), at(3, "\x00"), at(12, "\xd4\x07\x00\x00")), nil, "MongoDB OP_QUERY"},
		{"mongodb", nil, all(betweenLE(0, 3, 21, 1<<23), at(3, "\x00"), at(12, "\xdc\x07\x00\x00")), nil, "MongoDB OP_COMPRESSED"},
		{"mongodb", ports(27017, 27018, 27019), all(betweenLE(0, 3, 36, 1<<23), at(3, "\x00"), at(12, "\x01\x00\x00\x00")), nil, "MongoDB OP_REPLY"},
		{"cassandra", nil, all(in(0, "\x01\x02\x03\x04\x05\x42"), has("CQL_VERSION", 64)), nil, "CQL native protocol, STARTUP"},
		{"cassandra", nil, all(in(0, "\x03\x04\x05\x42"), at(4, "\x05\x00\x00\x00\x00")), all(in(0, "\x83\x84\x85\xc2"), at(4, "\x06\x00\x00")), "CQL native protocol, OPTIONS"},
		{"cassandra", ports(9042), all(in(0, "\x03\x04\x05\x06\x42"), in(1, "\x00\x01\x02\x10"), at(4, "\x05\x00\x00\x00\x00")), nil, "CQL native protocol, OPTIONS"},
		{"cassandra", ports(9042), all(in(0, "\x83\x84\x85\x86\xc2"), in(1, "\x00\x01\x02\x04\x08\x10"), in(4, "\x00\x02\x03\x06\x08\x0e\x10"), at(5, "\x00\x00")), nil, "CQL native protocol, the first answers"},
		{"redis", nil, all(at(0, "*"), in(1, "123456789"), has("\r\n$", 8)), nil, "Redis RESP"},
		{"redis", nil, all(fold(0, "PING\r\n")), all(at(0, "+PONG\r\n")), "Redis inline command"},
		{"redis", ports(6379), all(fold(0, "INFO")), all(at(0, "$"), in(1, digits)), "Redis inline command"},
		{"redis", nil, all(at(0, "-NOAUTH ")), nil, "Redis error"},
		{"redis", nil, all(at(0, "-DENIED Redis ")), nil, "Redis error, protected mode"},
		{"redis", ports(6379), all(in(0, span('A', 'Z')+span('a', 'z'))), all(in(0, "+-:$*"), has("\r\n", 256)), "Redis inline command"},
		{"redis", ports(6379), all(in(0, "+-:$*%~>_#,"), has("\r\n", 256)), nil, "Redis RESP3"},
		{"memcached", nil, all(at(0, "stats"), in(5, " \r")), all(at(0, "STAT ")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "version\r\n")), all(at(0, "VERSION ")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "get"), in(3, " s")), all(at(0, "VALUE ")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "get"), in(3, " s")), all(at(0, "END\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "gat"), in(3, " s")), all(at(0, "VALUE ")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "gat"), in(3, " s")), all(at(0, "END\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "set ")), all(at(0, "STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "add ")), all(at(0, "STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "add ")), all(at(0, "NOT_STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "cas ")), all(at(0, "STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "cas ")), all(at(0, "EXISTS\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "replace ")), all(at(0, "STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "replace ")), all(at(0, "NOT_STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "append ")), all(at(0, "STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "prepend ")), all(at(0, "STORED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "delete ")), all(at(0, "DELETED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "delete ")), all(at(0, "NOT_FOUND\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "touch ")), all(at(0, "TOUCHED\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(at(0, "touch ")), all(at(0, "NOT_FOUND\r\n")), "memcached protocol.txt"},
		{"memcached", nil, all(in(0, "id"), in(1, "ne"), at(2, "cr ")), all(at(0, "NOT_FOUND\r\n")), "memcached protocol.txt"},
		{"memcached", ports(11211), all(in(0, "id"), in(1, "ne"), at(2, "cr ")), nil, "memcached protocol.txt"},
		{"memcached", ports(11211), all(at(0, "flush_all")), nil, "memcached protocol.txt"},
		{"memcached", ports(11211), all(in(0, span('a', 'z')), in(1, span('a', 'z')), has("\r\n", 512)), nil, "memcached protocol.txt, a command"},
		{"memcached", ports(11211), all(in(0, "\x80\x81"), between(1, 1, 0, 0x44), between(4, 1, 0, 20), at(5, "\x00")), nil, "memcached binary protocol"},
		{"clickhouse", nil, all(at(0, "\x00"), at(2, "ClickHouse")), nil, "ClickHouse native protocol, Hello"},
		{"drda", nil, all(at(2, "\xd0"), at(8, "\x10\x41")), nil, "DRDA EXCSAT"},
		{"drda", nil, all(at(2, "\xd0"), in(3, drdaFormats), in(8, drdaRequests), length(0, 2, 0), between(6, 2, 4, 32761)), all(at(2, "\xd0"), in(3, drdaFormats), in(8, drdaAnswers), length(0, 2, 0), between(6, 2, 4, 32761)), "DRDA volume 3, DSS header: a request and a reply or object"},
		{"drda", ports(446, 447, 448, 523, 50000), all(at(2, "\xd0"), in(3, drdaFormats), in(8, drdaRequests), length(0, 2, 0)), nil, "DRDA volume 3, DSS header"},
		{"elasticsearch", nil, all(at(0, "ES\x00\x00"), at(6, "\x00\x00\x00\x00")), nil, "Elasticsearch transport header"},
		{"z3950", nil, all(at(0, "\xb4"), at(2, "\x83\x02\x00"), at(6, "\x84")), nil, "ANSI/NISO Z39.50 InitializeRequest"},
		{"z3950", ports(210), all(at(0, "\xb4"), has("\x83\x02", 16), has("\x84\x02", 24)), nil, "ANSI/NISO Z39.50 InitializeRequest"},
		{"z3950", ports(210), all(at(0, "\xb4"), has("\x83\x02", 16), has("\x84\x03", 24)), nil, "ANSI/NISO Z39.50 InitializeRequest"},
	}
}

// clientName are characters of the names that Kafka's clients give themselves.
const clientName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-" + digits

// middlewareRows: message brokers and remote procedure calls.
func middlewareRows() []row {
	return []row{
		{"amqp", nil, all(at(0, "AMQP"), in(4, "\x00\x01\x02\x03"), in(5, "\x00\x01"), in(6, "\x00\x08\x09\x0a")), nil, "AMQP 0-9-1 section 4.2.2, AMQP 1.0 section 2.2"},
		{"amqp", nil, all(at(0, "\x01\x00\x00"), at(7, "\x00\x0a\x00\x0a\x00\x09")), nil, "AMQP 0-9-1 section 1.4.2.1, Connection.Start"},
		{"amqp", nil, all(at(4, "\x02\x01\x00\x00\x00\x53\x40")), nil, "AMQP 1.0 section 5.3.3.1, SASL mechanisms"},
		{"amqp", nil, all(at(4, "\x02\x00\x00\x00\x00\x53\x10")), nil, "AMQP 1.0 section 2.7.1, open"},
		{"amqp", ports(5672), all(in(0, "\x01\x02\x03"), at(1, "\x00"), skip(3, 4, 1, 7), at(0, "\xce")), nil, "AMQP 0-9-1 section 4.2.3, a frame and its end"},
		{"mqtt", nil, all(at(0, "\x10"), at(2, "\x00\x04MQTT"), in(8, "\x04\x05\x84")), nil, "MQTT 3.1.1 section 3.1"},
		{"mqtt", nil, all(at(0, "\x10"), at(3, "\x00\x04MQTT"), in(9, "\x04\x05\x84")), nil, "MQTT 3.1.1 section 3.1"},
		{"mqtt", nil, all(at(0, "\x10"), at(2, "\x00\x06MQIsdp"), in(10, "\x03\x83")), nil, "MQTT 3.1"},
		{"mqtt", nil, all(at(0, "\x10"), at(3, "\x00\x06MQIsdp"), in(11, "\x03\x83")), nil, "MQTT 3.1"},
		{"mqtt", nil, all(at(0, "\x10"), at(4, "\x00\x04MQTT"), in(10, "\x04\x05\x84")), nil, "MQTT 3.1.1 section 3.1"},
		{"mqtt", ports(1883), all(at(0, "\x20"), between(1, 1, 2, 127), in(2, "\x00\x01")), nil, "MQTT 3.1.1 and 5 section 3.2"},
		{"mqtt", ports(1883), all(in(0, "\x30\x31\x32\x33\x34\x35\x3a\x3b\x3c\x3d"), at(2, "\x00"), in(4, span('!', '~'))), nil, "MQTT 3.1.1 section 3.3, seen midway"},
		{"mqtt", ports(1883), all(at(0, "\x82"), at(4, "\x00"), in(6, span('!', '~'))), nil, "MQTT 3.1.1 section 3.8, seen midway"},
		{"mqtt", nil, all(at(0, "\xc0\x00")), all(at(0, "\xd0\x00")), "MQTT 3.1.1 sections 3.12, 3.13: ping and its answer"},
		{"mqtt", nil, all(in(0, "\x32\x33\x3a\x3b"), at(2, "\x00"), in(4, span('!', '~')), in(5, span('!', '~'))), all(at(0, "\x40\x02"), size(4, 0)), "MQTT 3.1.1 sections 3.3, 3.4: message and its acknowledgement"},
		{"mqtt", nil, all(in(0, "\x32\x33\x3a\x3b"), in(1, span(0x80, 0xff)), at(3, "\x00"), in(5, span('!', '~')), in(6, span('!', '~'))), all(at(0, "\x40\x02"), size(4, 0)), "MQTT 3.1.1 sections 3.3, 3.4: message and its acknowledgement"},
		{"nats", nil, all(at(0, "INFO {"), has("\"server_id\"", 512)), nil, "NATS client protocol"},
		{"nats", nil, all(at(0, "CONNECT {")), nil, "NATS client protocol"},
		{"nats", nil, all(at(0, "PING\r\n")), all(at(0, "PONG\r\n")), "NATS client protocol"},
		{"nats", ports(4222), all(fold(0, "PUB ")), nil, "NATS client protocol"},
		{"nats", ports(4222), all(fold(0, "SUB ")), nil, "NATS client protocol"},
		{"nats", ports(4222), all(fold(0, "MSG ")), nil, "NATS client protocol"},
		{"stomp", nil, all(at(0, "STOMP"), in(5, "\r\n"), has("accept-version:", 256)), nil, "STOMP 1.2, CONNECT"},
		{"stomp", nil, all(at(0, "CONNECT"), in(7, "\r\n")), nil, "STOMP 1.2, CONNECT"},
		{"stomp", nil, all(at(0, "CONNECTED"), in(9, "\r\n"), has("version:", 256)), nil, "STOMP 1.2, CONNECTED"},
		{"kafka", nil, all(at(0, "\x00\x00"), at(4, "\x00\x12\x00"), between(7, 1, 0, 4), at(8, "\x00\x00"), at(12, "\x00"), length(0, 4, 4)), nil, "Kafka protocol, ApiVersions request"},
		{"kafka", ports(9092, 9093, 9094), all(at(0, "\x00\x00"), at(4, "\x00"), between(5, 1, 0, 90), at(6, "\x00"), between(7, 1, 0, 20), at(8, "\x00\x00")), nil, "Kafka protocol, request header"},
		{"openwire", nil, all(at(4, "\x01ActiveMQ")), nil, "OpenWire WireFormatInfo"},
		{"zeromq", nil, all(at(0, "\xff\x00\x00\x00\x00\x00\x00\x00"), in(8, "\x00\x01"), at(9, "\x7f")), nil, "ZMTP 3.1 greeting"},
		{"thrift", nil, all(at(0, "\x80\x01\x00"), in(3, "\x01\x02\x03\x04"), at(4, "\x00\x00\x00")), nil, "Thrift binary protocol"},
		{"thrift", nil, all(at(0, "\x00"), at(4, "\x80\x01\x00"), in(7, "\x01\x02\x03\x04"), at(8, "\x00\x00\x00")), nil, "Thrift framed transport"},
		{"raft", nil, all(at(0, "\x01\x00\x00\x00\x00\x00\x00\x00"), at(11, "\x00\x00\x00\x00\x00"), between(16, 1, 8, 255), at(17, "\x00\x00\x00\x00\x00\x00\x00"), in(24, span('!', '~'))), nil, "C-Raft connection preamble: protocol 1, server and address"},
		{"thrift", nil, all(at(0, "\x00"), at(4, "\x82"), in(5, "\x21\x41\x81"), between(6, 1, 0, 127), between(7, 1, 1, 64), in(8, span('A', 'z')), in(9, span('A', 'z'))), nil, "Thrift framed transport, compact protocol"},
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
		{"rpcbind", ports(111), all(in(0, "\x80"), at(8, "\x00\x00\x00\x01\x00\x00\x00\x00")), nil, "RFC 5531 section 9, a reply"},
		{"smpp", ports(2775), all(at(0, "\x00\x00\x00"), in(4, "\x00\x80"), at(5, "\x00"), length(0, 4, 0), size(16, 0)), nil, "SMPP 3.4 section 3.2"},
		{"smpp", nil, all(at(0, "\x00\x00\x00"), at(4, "\x00\x00\x00"), in(7, "\x01\x02\x09"), at(8, "\x00\x00\x00\x00\x00\x00"), length(0, 4, 0)), nil, "SMPP 3.4 section 4.1"},
		{"sap", nil, all(at(4, "NI_ROUTE\x00")), nil, "SAP network interface, route string"},
		{"lotus-notes", nil, all(at(6, "\x00\x00\x02\x00\x00\x40\x02\x0f")), nil, "Notes RPC session request"},
		{"alicloud", nil, all(at(0, "\xce\xfa\xbe\xba"), betweenLE(4, 4, 1, maxMessage), size(8, 0)), nil, "Alibaba Cloud's frame header, nDPI's alicloud"},
		{"nest-log", ports(11095), all(in(2, "\x00\x10"), at(3, "\x13"), lengthLE(0, 2, 2)), nil, "Weave message over TCP: length, version and flags (OpenWeave), to Nest's log sink"},
		{"avast", nil, all(at(0, "NOSA"), length(4, 2, 0)), nil, "Avast update service, nDPI's avast"},
		{"zabbix", nil, all(at(0, "ZBXD"), in(4, "\x01\x03\x05\x07")), nil, "Zabbix header"},
		{"nrpe", nil, all(at(0, "\x00\x02\x00\x01"), at(10, "_NRPE_CHECK")), nil, "NRPE common.h, packet of version 2"},
		{"nrpe", ports(5666), all(at(0, "\x00"), in(1, "\x01\x02\x03\x04"), at(2, "\x00"), in(3, "\x01\x02")), nil, "NRPE common.h, packet header"},
	}
}

// printerPorts are those of raw printing, one for each port of a print server.
var printerPorts = ports(9100, 9101, 9102, 9103)

// storageRows: files and blocks.
func storageRows() []row {
	return []row{
		{"smb", nil, all(at(0, "\x00"), in(4, "\xff\xfe\xfd\xfc"), at(5, "SMB")), nil, "MS-SMB2 2.1, 2.2.1"},
		{"smb", nil, all(at(0, "\x81\x00"), skip(2, 2, 1, 4), at(0, "\x00"), in(4, "\xff\xfe"), at(5, "SMB")), nil, "RFC 1002 section 4.3, MS-SMB 2.2.3.1"},
		{"nfs", nil, all(in(0, "\x80\x00"), at(8, "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86"), in(19, "\xa3\xa5\xab\xb5\xb8")), nil, "RFC 5531 section 9, RFC 1813"},
		{"nfs", ports(2049), all(in(0, "\x80"), at(8, "\x00\x00\x00\x01\x00\x00\x00\x00")), nil, "RFC 5531 section 9, a reply"},
		{"afp", ports(548), all(at(0, "\x00"), in(1, "\x03\x04"), at(4, "\x00\x00\x00\x00")), nil, "AFP, DSI header"},
		{"iscsi", nil, all(at(0, "\x43"), at(2, "\x00\x00"), has("InitiatorName=", 256)), nil, "RFC 7143 section 11.12"},
		{"iscsi", nil, all(at(0, "\x23"), has("TargetPortalGroupTag=", 256)), nil, "RFC 7143 section 11.13"},
		{"nbd", nil, all(at(0, "NBDMAGIC"), in(8, "I\x00")), nil, "NBD protocol, handshake"},
		{"lustre", nil, all(at(0, "\x00\x71\xce\xac\x01\x00\x00\x00")), nil, "Lustre LNet acceptor request"},
		{"lustre", ports(988), all(in(0, "\xc0\xc1"), at(1, "\x00\x00\x00"), size(24, 0)), nil, "Lustre socket LND message seen midway"},
		{"lustre", nil, all(at(0, "cirE")), nil, "Lustre socket LND hello"},
		{"ceph", nil, all(at(0, "ceph v"), in(6, digits)), nil, "Ceph messenger banner"},
		{"jetdirect", nil, all(at(0, "\x1b%-12345X")), nil, "HP PJL universal exit"},
		{"jetdirect", nil, all(at(0, "@PJL ")), nil, "HP PJL command"},
		{"jetdirect", printerPorts, all(at(0, "%!PS")), nil, "PostScript language, sent raw"},
		{"jetdirect", printerPorts, all(at(0, "\x1bE")), nil, "HP PCL reset, sent raw"},
		{"jetdirect", printerPorts, all(at(0, "\x1b@")), nil, "ESC/P reset, sent raw"},
		{"ms-delivery-optimization", nil, all(at(0, "\x0eSwarm protocol")), nil, "MS-DO handshake"},
		{"ipfs", nil, all(at(0, "\x13/multistream/1.0.0\n")), nil, "libp2p multistream-select"},
		{"dicom", nil, all(at(0, "\x01\x00"), at(6, "\x00\x01\x00\x00"), at(74, "\x10\x00")), nil, "DICOM PS3.8 section 9.3.2"},
	}
}

// lastTCPRows ask for so little that every other row goes before them.
func lastTCPRows() []row {
	return []row{
		{"finger", ports(79), all(in(0, span('!', '~')), has("\r\n", 128)), nil, "RFC 1288 section 2.3"},
		{"finger", ports(79), all(at(0, "\r\n")), nil, "RFC 1288 section 2.3, all users"},
		{"whois", ports(43), all(in(0, span('!', '~')), has("\r\n", 256)), nil, "RFC 3912 section 2"},
		{"gopher", ports(70), all(in(0, span('!', '~')), has("\r\n", 256)), nil, "RFC 1436 section 2"},
		{"gopher", ports(70), all(at(0, "\r\n")), nil, "RFC 1436 section 2, the empty selector"},
		{"kafka", nil, all(at(0, "\x00\x00"), at(4, "\x00"), between(5, 1, 0, 90), at(6, "\x00"), between(7, 1, 1, 20), at(8, "\x00\x00\x00"), at(12, "\x00"), between(13, 1, 3, 100), in(14, clientName), in(15, clientName), in(16, clientName)), all(at(0, "\x00"), at(4, "\x00\x00\x00"), size(12, 0)), "Kafka protocol, request header with a client's name, and response header"},
	}
}
