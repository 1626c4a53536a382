package main

import (
	"encoding/json"
	"strconv"

	"github.com/hashicorp/raft"
)

// uint64String passes through JavaScript's numbers unharmed.
type uint64String uint64

func (u uint64String) MarshalJSON() ([]byte, error) {
	return json.Marshal(strconv.FormatUint(uint64(u), 10))
}

func (u *uint64String) UnmarshalJSON(text []byte) error {
	var digits string
	if err := json.Unmarshal(text, &digits); err != nil {
		return err
	}
	value, err := strconv.ParseUint(digits, 10, 64)
	*u = uint64String(value)
	return err
}

type wireServer struct {
	Suffrage int64  `json:"suffrage,string"`
	ID       []byte `json:"id"`
	Address  []byte `json:"address"`
}

// wireMeta is a fileSnapshotMeta with nothing lost: null is nil.
type wireMeta struct {
	Version            int64        `json:"version,string"`
	ID                 []byte       `json:"id"`
	Index              uint64String `json:"index"`
	Term               uint64String `json:"term"`
	Peers              []byte       `json:"peers"`
	Servers            []wireServer `json:"servers"`
	ConfigurationIndex uint64String `json:"configurationIndex"`
	Size               int64        `json:"size,string"`
	CRC                []byte       `json:"crc"`
}

func toWire(meta fileMeta) wireMeta {
	return wireMeta{
		Version:            int64(meta.Version),
		ID:                 []byte(meta.ID),
		Index:              uint64String(meta.Index),
		Term:               uint64String(meta.Term),
		Peers:              meta.Peers,
		Servers:            toWireServers(meta.Configuration.Servers),
		ConfigurationIndex: uint64String(meta.ConfigurationIndex),
		Size:               meta.Size,
		CRC:                meta.CRC,
	}
}

func toWireServers(servers []raft.Server) []wireServer {
	if servers == nil {
		return nil
	}
	wire := make([]wireServer, len(servers))
	for i, s := range servers {
		wire[i] = wireServer{int64(s.Suffrage), []byte(s.ID), []byte(s.Address)}
	}
	return wire
}

func fromWireServers(wire []wireServer) []raft.Server {
	if wire == nil {
		return nil
	}
	servers := make([]raft.Server, len(wire))
	for i, w := range wire {
		servers[i] = raft.Server{
			Suffrage: raft.ServerSuffrage(w.Suffrage),
			ID:       raft.ServerID(w.ID),
			Address:  raft.ServerAddress(w.Address),
		}
	}
	return servers
}
