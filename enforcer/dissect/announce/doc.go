// Package announce reads what a control connection says of flows to come: the
// data connections of FTP, the media of SIP, RTSP, MGCP, H.323 and Skinny, and the
// port that TFTP goes on at. These flows show nothing of their own that a first
// packet could be told by.
//
// It reads without state: who calls it keeps the Rest of a segment and puts it before
// the next one. And it believes little: a side can announce
// an endpoint of its own address alone, so that nobody can name flows of others;
// what FTP, RTSP and TFTP announce holds between the two ends of the control
// connection only.
//
// The engine calls it with the packets of flows whose protocol Reads, and gives
// what it finds to classify.Names. It imports dissect and the standard library.
package announce
