package fixed

// Modbus public function codes and the Modicon private one (MODBUS
// Application Protocol 1.1b3 section 5).
const modbusFunctions = "\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0f\x10\x11\x14\x15\x16\x17\x18\x2b"

// DNP3 link control bytes of both directions (IEEE 1815 section 9.2.4.1).
const dnp3Controls = "\xc0\xc2\xc3\xc4\xc9\xd3\xf3\x40\x44\x49\x53\x73\x80\x81\x8b\x8f\x00\x01\x0b\x0f"

// finsUnits are unit addresses: the CPU, the controller link, a bus unit, a
// special unit (Omron W421 section 5).
const finsUnits = "\x00\xfe\xe1\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"

// trdpRows are the message kinds of the Train Real Time Data Protocol: process
// data and message data.
func trdpRows() []row {
	return []row{
		{"trdp", nil, all(at(4, "\x01"), at(6, "P"), in(7, "rpde")), nil, "IEC 61375-2-3 annex A"},
		{"trdp", nil, all(at(4, "\x01"), at(6, "M"), in(7, "nrpqce")), nil, "IEC 61375-2-3 annex A"},
	}
}

// industrialTCPRows: plants, meters and homes.
func industrialTCPRows() []row {
	return []row{
		{"s7comm", nil, all(at(0, "\x03\x00"), at(4, "\x02\xf0\x80\x32")), nil, "RFC 1006, S7 communication header"},
		{"s7comm", nil, all(at(0, "\x03\x00"), in(5, "\xe0\xd0"), skip(2, 2, 1, 0), at(0, "\x03\x00"), at(4, "\x02\xf0\x80\x32")), nil, "RFC 1006, S7 communication header"},
		{"s7comm-plus", nil, all(at(0, "\x03\x00"), at(4, "\x02\xf0\x80\x72")), nil, "RFC 1006, S7 communication plus header"},
		{"s7comm-plus", nil, all(at(0, "\x03\x00"), in(5, "\xe0\xd0"), skip(2, 2, 1, 0), at(0, "\x03\x00"), at(4, "\x02\xf0\x80\x72")), nil, "RFC 1006, S7 communication plus header"},
		{"iec61850-mms", nil, all(at(0, "\x03\x00"), in(5, "\xe0\xd0"), skip(2, 2, 1, 0), at(0, "\x03\x00"), at(4, "\x02\xf0\x80"), in(7, "\x0d\x0e")), nil, "RFC 1006, ISO 8327-1 connect"},
		{"umas", nil, all(at(2, "\x00\x00\x00"), between(5, 1, 3, 254), at(7, "\x5a"), length(4, 2, 6)), nil, "Modbus function 90"},
		{"modbus", nil, all(at(2, "\x00\x00\x00"), between(5, 1, 3, 254), in(7, modbusFunctions), length(4, 2, 6)), all(at(2, "\x00\x00\x00"), between(5, 1, 3, 254)), "MODBUS Messaging on TCP/IP 1.0b"},
		{"modbus", ports(502, 802), all(at(2, "\x00\x00\x00\x03"), in(7, span(0x81, 0xab)), in(8, span(1, 11))), nil, "MODBUS Application Protocol 1.1b3 section 7, exception"},
		{"modbus", ports(502, 802), all(at(2, "\x00\x00\x00"), between(5, 1, 3, 254), in(7, modbusFunctions)), nil, "MODBUS Messaging on TCP/IP 1.0b"},
		{"dnp3", nil, all(at(0, "\x05\x64"), between(2, 1, 5, 255), in(3, dnp3Controls)), nil, "IEEE 1815 section 9.2.4"},
		{"iec104", nil, all(at(0, "\x68\x04"), in(2, "\x07\x0b\x13\x23\x43\x83"), at(3, "\x00\x00\x00")), nil, "IEC 60870-5-104 section 5"},
		{"iec104", ports(2404), all(at(0, "\x68"), between(1, 1, 4, 253)), nil, "IEC 60870-5-104 section 5"},
		{"ethernet-ip", nil, all(at(0, "\x65\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00")), nil, "CIP volume 2 section 2-4.4"},
		{"ethernet-ip", nil, all(in(0, "\x04\x63\x64"), at(1, repeat("\x00", 11)), at(20, "\x00\x00\x00\x00")), nil, "CIP volume 2 section 2-4, a list asked for over TCP"},
		{"ethernet-ip", ports(44818), all(in(0, "\x04\x63\x64\x65\x66\x6f\x70"), at(1, "\x00")), nil, "CIP volume 2 section 2-3"},
		{"opc-ua", nil, all(at(0, "HELF"), at(6, "\x00\x00")), nil, "OPC 10000-6 section 7.1.2"},
		{"opc-ua", nil, all(at(0, "ACKF"), at(6, "\x00\x00")), nil, "OPC 10000-6 section 7.1.2"},
		{"opc-ua", nil, all(at(0, "OPNF"), at(6, "\x00\x00")), nil, "OPC 10000-6 section 7.1.2"},
		{"opc-ua", nil, all(at(0, "RHEF"), at(6, "\x00\x00")), nil, "OPC 10000-6 section 7.1.2"},
		{"opc-ua", nil, all(at(0, "CLOF"), at(6, "\x00\x00")), nil, "OPC 10000-6 section 7.1.2"},
		{"opc-ua", nil, all(at(0, "MSGF"), at(6, "\x00\x00")), nil, "OPC 10000-6 section 7.1.2"},
		{"opc-ua", nil, all(at(0, "ERRF"), at(6, "\x00\x00")), nil, "OPC 10000-6 section 7.1.2"},
		{"knxnet-ip", nil, all(at(0, "\x06\x10"), in(2, "\x02\x03\x04\x05\x08\x09"), length(4, 2, 0)), nil, "EN 13321-2 header"},
		{"hart-ip", ports(5094), all(in(0, "\x01\x02"), in(1, "\x00\x01\x02\x0f"), between(2, 1, 0, 5), length(6, 2, 0)), nil, "HART-IP message header"},
		{"fins", nil, all(at(0, "FINS\x00\x00\x00")), nil, "Omron W421, FINS/TCP header"},
		{"beckhoff-ads", nil, all(at(0, "\x00\x00"), betweenLE(22, 2, 0, 9), in(24, "\x04\x05"), at(25, "\x00"), betweenLE(30, 4, 0, 30), lengthLE(2, 4, 6), size(38, 0)), nil, "Beckhoff AMS/TCP and AMS headers: length, command, state flags, error"},
		{"can-over-ip", nil, all(at(0, "ISO11898")), nil, "Universal IoT CAN over IP header"},
		{"beckhoff-ads", ports(48898), all(at(0, "\x00\x00"), lengthLE(2, 4, 6)), nil, "Beckhoff AMS/TCP header"},
		{"someip", ports(30490, 30491, 30501, 30509), all(length(4, 4, 8), at(12, "\x01"), in(14, "\x00\x01\x02\x80\x81\x20\x21\x22\xa0\xa1")), nil, "AUTOSAR PRS SOME/IP section 4.1"},
		{"ieee-c37118", nil, all(at(0, "\xaa"), in(1, "\x01\x11\x21\x31\x41\x02\x12\x22\x32\x42\x52"), length(2, 2, 0), at(14, "\x00\x00")), nil, "IEEE C37.118.2 section 6.2"},
		{"ieee-c37118", ports(4712), all(at(0, "\xaa"), in(1, "\x01\x11\x21\x31\x41\x02\x12\x22\x32\x42\x52"), length(2, 2, 0)), nil, "IEEE C37.118.2 section 6.2"},
		{"iec62056", nil, all(at(0, "\x00\x01\x00"), at(4, "\x00"), length(6, 2, 8), in(8, "\x60\x61\xc0\xc1\xc2\xc3\xc4\xc5\xc7\xc8")), nil, "IEC 62056-47 wrapper"},
		{"iec62056", nil, all(at(0, "\x7e\xa0"), skip(2, 1, 1, 1), at(0, "\x7e")), nil, "IEC 62056-46 section 6.4.4, HDLC frame"},
		{"ansi-c1222", ports(1153), all(at(0, "\x60"), length(1, 1, 2)), nil, "ANSI C12.22 section 5, ACSE PDU"},
		{"coap", ports(5683), all(in(0, "\x00\x10\x20\x30\x40\x50\x60\x70\x80"), in(1, "\xe1")), nil, "RFC 8323 section 5.3, capabilities in one byte of length"},
		{"coap", ports(5683), all(at(0, "\xd0"), at(2, "\xe1")), nil, "RFC 8323 section 5.3, capabilities"},
		{"hislip", nil, all(at(0, "HS\x00\x00"), at(8, "\x00\x00\x00\x00")), nil, "IVI-6.1 section 2.4"},
		{"tplink-shp", nil, all(at(0, "\x00\x00"), at(4, "\xd0\xf2")), nil, "TP-Link Smart Home, autokey XOR of '{\"'"},
		{"tuya-lp", nil, all(at(0, "\x00\x00\x55\xaa"), at(12, "\x00")), nil, "Tuya local protocol header"},
	}
}

// industrialUDPRows: the same over UDP.
func industrialUDPRows() []row {
	return []row{
		{"bacnet", ports(47808), all(at(0, "\x82"), between(1, 1, 0, 12), length(2, 2, 0)), nil, "ASHRAE 135 annex U, over IPv6"},
		{"bacnet", nil, all(at(0, "\x81"), between(1, 1, 0, 12), length(2, 2, 0)), nil, "ASHRAE 135 annex J"},
		{"ansi-c1222", ports(1153), all(at(0, "\x60"), length(1, 1, 2)), nil, "ANSI C12.22 section 5, ACSE PDU"},
		{"lwm2m", nil, all(masked(0, "\x40", "\xf0"), at(1, "\x02"), has("\xb2rd", 32), has("lwm2m=", 128)), nil, "OMA LwM2M transport 1.2 section 6.4.1, register"},
		{"coap", nil, all(masked(0, "\x40", "\xc0"), in(1, "\x01\x05"), has("\xbb.well-known\x04core", 40)), nil, "RFC 7252 section 7.2, resource discovery"},
		{"coap", ports(5683, 5684, 61616), all(masked(0, "\x40", "\xc0"), in(0, span(0x40, 0x48)+span(0x50, 0x58)+span(0x60, 0x68)+span(0x70, 0x78)), in(1, "\x00\x01\x02\x03\x04\x05\x06\x07\x41\x42\x43\x44\x45\x5f\x80\x81\x82\x83\x84\x85\x86\x88\x8c\x8d\x8f\x89\x96\x9d\xa8\xa0\xa1\xa2\xa3\xa4\xa5")), nil, "RFC 7252 section 3"},
		{"dnp3", nil, all(at(0, "\x05\x64"), between(2, 1, 5, 255), in(3, dnp3Controls)), nil, "IEEE 1815 section 9.2.4"},
		{"cip", nil, all(at(0, "\x02\x00\x02\x80\x08\x00"), at(14, "\xb1\x00")), nil, "CIP volume 2 section 2-6, implicit messages"},
		{"ethernet-ip", nil, all(at(0, "\x63\x00\x00\x00\x00\x00\x00\x00"), size(24, 24)), nil, "CIP volume 2 section 2-4.2"},
		{"ethernet-ip", ports(44818), all(in(0, "\x63\x64\x04"), at(1, "\x00")), nil, "CIP volume 2 section 2-3"},
		{"knxnet-ip", nil, all(at(0, "\x06\x10"), in(2, "\x02\x03\x04\x05\x08\x09"), length(4, 2, 0)), nil, "EN 13321-2 header"},
		{"hart-ip", nil, all(at(0, "\x01"), in(1, "\x00\x01\x02\x0f"), between(2, 1, 0, 5), at(3, "\x00"), length(6, 2, 0)), nil, "HART-IP message header"},
		{"fins", nil, all(in(0, "\x80\xc0\xc1"), at(1, "\x00\x02"), between(3, 1, 0, 127), in(5, finsUnits), between(6, 1, 0, 127), in(8, finsUnits), between(10, 1, 1, 0x26), size(12, 2012)), nil, "Omron W421, FINS header: control, gateways, networks and units of both ends, command"},
		{"fins", ports(9600), all(in(0, "\x80\x81\xc0\xc1"), at(1, "\x00"), in(2, "\x02\x07"), size(12, 2012)), nil, "Omron W421, FINS header"},
		{"beckhoff-ads", nil, all(at(0, "\x03\x66\x14\x71")), nil, "Beckhoff AMS discovery header"},
		{"someip", nil, all(at(0, "\xff\xff\x81\x00"), at(12, "\x01\x01\x02\x00")), nil, "AUTOSAR PRS SOME/IP service discovery"},
		{"someip", nil, all(length(4, 4, 8), at(12, "\x01"), in(13, "\x00\x01\x02"), in(14, "\x00\x01\x02\x80\x81\x20\x21\x22\xa0\xa1"), between(15, 1, 0, 10), size(16, 65507)), nil, "AUTOSAR PRS SOME/IP section 4.1"},
		{"ieee-c37118", nil, all(at(0, "\xaa"), in(1, "\x01\x11\x21\x31\x41\x51\x02\x12\x22\x32\x42\x52"), length(2, 2, 0), size(16, 65507)), nil, "IEEE C37.118.2 section 6.2"},
		{"iec62056", nil, all(at(0, "\x00\x01\x00"), at(4, "\x00"), length(6, 2, 8), in(8, "\x60\x61\xc0\xc1\xc2\xc3\xc4\xc5\xc7\xc8")), nil, "IEC 62056-47 wrapper"},
		{"tplink-shp", nil, all(at(0, "\xd0\xf2\x81\xf8\x8b\xff\x9a\xf7")), nil, "TP-Link Smart Home, autokey XOR of '{\"system'"},
		{"tplink-shp", ports(9999), all(at(0, "\xd0\xf2")), nil, "TP-Link Smart Home, autokey XOR of '{\"'"},
		{"tuya-lp", nil, all(at(0, "\x00\x00\x55\xaa"), size(20, 1500)), nil, "Tuya local protocol header"},
		{"ether-s-io", nil, all(at(0, "ESIO")), nil, "Ether-S-I/O header"},
		{"ether-s-bus", ports(5050), all(in(4, "\x00\x01"), in(5, "\x00"), length(0, 4, 0), size(13, 1500)), nil, "Ether-S-Bus header"},
		{"ethernet-global-data", nil, all(at(0, "\x0d\x01"), at(24, "\x00\x00\x00"), between(27, 1, 0, 30), at(28, "\x00\x00\x00\x00"), size(33, 1500)), nil, "GFK-2224 Ethernet Global Data: type, version, status, reserved"},
		{"ethernet-global-data", ports(18246), all(at(0, "\x0d\x01"), size(32, 1500)), nil, "GFK-2224 Ethernet Global Data"},
		{"can-over-ip", nil, all(at(0, "ISO11898")), nil, "Universal IoT CAN over IP header"},
		{"cnp-ip", nil, all(masked(3, "\x01", "\x1f"), length(0, 2, 0), size(21, 1500)), all(masked(3, "\x01", "\x1f"), same(8, 4), length(0, 2, 0), size(21, 1500)), "EIA-852 packet header: length, type, and the session of both"},
		{"cnp-ip", ports(1628, 1629), all(length(0, 2, 0), at(2, "\x01")), nil, "EIA-852 packet header"},
		{"rtps", nil, all(at(0, "RTP"), in(3, "SX"), in(4, "\x01\x02"), between(5, 1, 0, 9), size(16, 65507)), nil, "OMG DDSI-RTPS 2.5 section 9.4.4"},
		{"matter", nil, all(in(0, "\x00\x04"), at(1, "\x00\x00\x00"), in(16, "\x01\x05"), in(17, "\x20\x30"), at(20, "\x00\x00\x15\x30\x01")), nil, "Matter core specification sections 4.4, 4.14, a session asked for"},
		{"matter", ports(5540), all(masked(0, "\x00", "\xf8"), masked(3, "\x00", "\x1c"), size(24, 1280)), nil, "Matter core specification section 4.4.1"},
		{"mqtt-sn", mqttSNPorts, all(length(0, 1, 0), at(1, "\x04"), at(3, "\x01")), nil, "MQTT-SN 1.2 section 5.4.4, connect"},
		{"mqtt-sn", mqttSNPorts, all(at(0, "\x03"), in(1, "\x01\x05"), size(3, 3)), nil, "MQTT-SN 1.2 sections 5.4.2, 5.4.5"},
		{"mqtt-sn", mqttSNPorts, all(length(0, 1, 0), between(1, 1, 0, 0x1d), size(2, 255)), nil, "MQTT-SN 1.2 section 5.2"},
	}
}

// mqttSNPorts are those of the gateways in use; the protocol has none registered.
var mqttSNPorts = ports(1883, 1884, 1885, 10000)

// doipRows: the versions and their complements, and what either side sends first
// (ISO 13400-2 section 9.2), over TCP and UDP.
func doipRows() (rows []row) {
	for _, version := range []string{"\x01\xfe", "\x02\xfd", "\x03\xfc", "\x04\xfb"} {
		rows = append(rows, row{"doip", nil, all(at(0, version), in(2, "\x00\x40\x80"), between(3, 1, 0, 8), at(4, "\x00\x00"), length(4, 4, 8)), nil, "ISO 13400-2 section 9.2, header"})
	}
	return append(rows, row{"doip", nil, all(at(0, "\xff\x00\x00"), in(3, "\x01\x02\x03"), at(4, "\x00\x00\x00"), length(4, 4, 8)), nil, "ISO 13400-2 section 9.2, identification of no version"})
}

// profinetRows stand before DCE/RPC, which PROFINET IO uses: the object's UUID,
// DEA00000-6C97-11D1-8271, in either order of bytes (IEC 61158-6-10).
func profinetRows() []row {
	return []row{
		{"profinet-io", nil, all(at(0, "\x04"), at(4, "\x10"), has("\x97\x6c\xd1\x11\x82\x71", 24)), nil, "PROFINET IO object UUID, DCE RPC"},
		{"profinet-io", nil, all(at(0, "\x04"), at(4, "\x00"), has("\x6c\x97\x11\xd1\x82\x71", 24)), nil, "PROFINET IO object UUID, DCE RPC"},
	}
}
