package record

import "net/netip"

// Category is the categories of a flow.
type Category struct {
	Application  string `json:"application" doc:"Of the application, or of the protocol where none is known."`
	Protocol     string `json:"protocol" doc:"Of the protocol."`
	Domain       string `json:"domain" doc:"Of the application that owns the host name."`
	Network      string `json:"network" doc:"Of the application in whose network the server lies."`
	LocalNetwork string `json:"local_network" doc:"Of the network on the local side."`
	OtherNetwork string `json:"other_network" doc:"Of the network on the other side."`
}

// Conntrack is what the kernel has on a flow.
type Conntrack struct {
	ID           uint32     `json:"id,omitempty" doc:"The number of its entry, as conntrack -L -o id shows it; absent until its counters were read."`
	Mark         uint32     `json:"mark" doc:"The mark that policies give the flow."`
	ReplySrcIP   netip.Addr `json:"reply_src_ip,omitempty" doc:"The source of replies, where addresses are translated."`
	ReplySrcPort int        `json:"reply_src_port,omitempty" doc:"The port that replies come from, where addresses are translated."`
	ReplyDstIP   netip.Addr `json:"reply_dst_ip,omitempty" doc:"The destination of replies, where addresses are translated."`
	ReplyDstPort int        `json:"reply_dst_port,omitempty" doc:"The port that replies go to, where addresses are translated."`
}

// SSL is what TLS, DTLS and QUIC show.
type SSL struct {
	Version      Hex16  `json:"version" doc:"The version on the wire; 0x0303 is TLS 1.2."`
	CipherSuite  Hex16  `json:"cipher_suite" doc:"The cipher suite that the server chose."`
	ClientSNI    string `json:"client_sni,omitempty" doc:"The server name that the client asks for."`
	ClientJA4    string `json:"client_ja4,omitempty" doc:"The JA4 fingerprint of the client's hello."`
	ServerJA4    string `json:"server_ja4,omitempty" doc:"The JA4S fingerprint of the server's hello."`
	ALPN         List   `json:"alpn,omitempty" doc:"The application protocols that the client offers."`
	ALPNServer   List   `json:"alpn_server,omitempty" doc:"The one that the server chose."`
	ServerCN     string `json:"server_cn,omitempty" doc:"The common name of the server's certificate."`
	SubjectDN    string `json:"subject_dn,omitempty" doc:"The subject of the server's certificate."`
	IssuerDN     string `json:"issuer_dn,omitempty" doc:"The issuer of the server's certificate."`
	Fingerprint  string `json:"fingerprint,omitempty" doc:"The SHA-1 of the server's certificate."`
	EncryptedCH  bool   `json:"encrypted_ch,omitempty" doc:"Whether the client sends an encrypted client hello, or what looks like one."`
	QUICVersion  string `json:"quic_version,omitempty" doc:"The version of QUIC."`
	CertRead     bool   `json:"proc_certificate,omitempty" doc:"Whether the server's certificate was read."`
	HelloWasRead bool   `json:"proc_hello,omitempty" doc:"Whether the client's hello was read."`
}

// HTTP is the first request.
type HTTP struct {
	Method    string `json:"method,omitempty" doc:"The method."`
	URL       string `json:"url,omitempty" doc:"Host and target."`
	UserAgent string `json:"user_agent,omitempty" doc:"The User-Agent."`
}

// SSH is the version lines.
type SSH struct {
	Client string `json:"client,omitempty" doc:"The client's."`
	Server string `json:"server,omitempty" doc:"The server's."`
}

// DHCP is what a client says of itself.
type DHCP struct {
	Fingerprint string `json:"fingerprint,omitempty" doc:"The options that it asks for (option 55)."`
	ClassIdent  string `json:"class_ident,omitempty" doc:"Its vendor class (option 60)."`
}

// MDNS is multicast DNS.
type MDNS struct {
	DomainName string `json:"domain_name,omitempty" doc:"The first name asked for or answered."`
}

// SSDP is device discovery.
type SSDP struct {
	UserAgent string `json:"user_agent,omitempty" doc:"Of a search."`
	Server    string `json:"server,omitempty" doc:"That a device announces."`
}

// STUN is addresses that STUN and TURN tell.
type STUN struct {
	Mapped   netip.Addr `json:"mapped,omitempty" doc:"The client's, as the server sees it."`
	Peer     netip.Addr `json:"peer,omitempty" doc:"The peer that a client wants to reach."`
	Relayed  netip.Addr `json:"relayed,omitempty" doc:"The one that a server relays for."`
	Response netip.Addr `json:"response,omitempty" doc:"The one that the server answers from."`
	Other    netip.Addr `json:"other,omitempty" doc:"The server's other one."`
}

// BitTorrent is its handshake.
type BitTorrent struct {
	InfoHash string `json:"info_hash,omitempty" doc:"The info hash."`
}

// Risks are a flow's risks; the scores are nDPI's.
type Risks struct {
	Names       List `json:"risks" doc:"Their names, as criteria write them."`
	Score       int  `json:"ndpi_risk_score" doc:"How grave they are together."`
	ScoreClient int  `json:"ndpi_risk_score_client" doc:"The client's share."`
	ScoreServer int  `json:"ndpi_risk_score_server" doc:"The server's share."`
}
