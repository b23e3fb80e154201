// Package kpi measures how well connections fare, from their packets: what TCP
// sends again, times of handshakes and answers, loss and jitter of RTP.
//
// Every figure comes from packets that were seen. What they do not show is absent
// from a Report, never zero, and Report.Packets says how many there were: live the
// kernel shows a connection's first packets alone. The observer stands between the
// ends, so a time is that to one end and back.
//
// The engine shows it each packet of a flow, and asks for the Report when it tells of the
// flow. It imports packet and slab and allocates nothing for a packet.
package kpi
