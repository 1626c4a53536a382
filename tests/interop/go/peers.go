package main

import (
	"fmt"
	_ "unsafe" // for go:linkname

	"github.com/hashicorp/raft"
)

// Raft's own functions for the Peers field are not exported; the linker gives
// access to them.

//go:linkname encodePeers github.com/hashicorp/raft.encodePeers
func encodePeers(configuration raft.Configuration, trans raft.Transport) []byte

//go:linkname decodePeers github.com/hashicorp/raft.decodePeers
func decodePeers(peers []byte, trans raft.Transport) (raft.Configuration, error)

// transport is there because the functions ask for one: an address is its own
// encoding in every transport of raft's.
var _, transport = raft.NewInmemTransport("")

type encodeAllPeersArgs struct {
	Configurations [][]wireServer `json:"configurations"`
}

func encodeAllPeers(args encodeAllPeersArgs) ([][]byte, error) {
	encoded := make([][]byte, len(args.Configurations))
	for i, servers := range args.Configurations {
		configuration := raft.Configuration{Servers: fromWireServers(servers)}
		encoded[i] = encodePeers(configuration, transport)
	}
	return encoded, nil
}

type decodeAllPeersArgs struct {
	Peers [][]byte `json:"peers"`
}

type decodedPeers struct {
	Servers []wireServer `json:"servers"`
	Error   string       `json:"error,omitempty"`
}

func decodeAllPeers(args decodeAllPeersArgs) ([]decodedPeers, error) {
	decoded := make([]decodedPeers, len(args.Peers))
	for i, peers := range args.Peers {
		decoded[i] = decodeOnePeers(peers)
	}
	return decoded, nil
}

func decodeOnePeers(peers []byte) (decoded decodedPeers) {
	defer func() { // a codec that panics has rejected the input
		if reason := recover(); reason != nil {
			decoded = decodedPeers{Error: fmt.Sprint("panic: ", reason)}
		}
	}()
	configuration, err := decodePeers(peers, transport)
	if err != nil {
		return decodedPeers{Error: err.Error()}
	}
	return decodedPeers{Servers: toWireServers(configuration.Servers)}
}
