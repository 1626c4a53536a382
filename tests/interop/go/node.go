package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// patience is the time limit for a step of a cluster on a busy machine.
const patience = 60 * time.Second

// node is a real member of a cluster, with small timeouts.
type node struct {
	transport *raft.NetworkTransport
	machine   *machine
	logs      *raftboltdb.BoltStore
	raft      *raft.Raft
}

// nodes are known by the address that they listen on.
var nodes = map[string]*node{}

type listenArgs struct {
	Count int `json:"count"`
}

// listenNodes opens the nodes' ports: their addresses are part of a snapshot,
// and so must be known before one is written.
func listenNodes(args listenArgs) ([]string, error) {
	addresses := make([]string, args.Count)
	for i := range addresses {
		transport, err := raft.NewTCPTransportWithLogger("127.0.0.1:0", nil, 3, 10*time.Second, logger())
		if err != nil {
			return nil, err
		}
		addresses[i] = string(transport.LocalAddr())
		nodes[addresses[i]] = &node{transport: transport, machine: newMachine()}
	}
	return addresses, nil
}

type nodeArgs struct {
	Address string `json:"address"`
}

func (args nodeArgs) find() (*node, error) {
	if n := nodes[args.Address]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("no node listens on %s", args.Address)
}

type startArgs struct {
	nodeArgs
	storeArgs
	ID string `json:"id"`
	// Term is the last that the node has seen. A node that is started on a
	// snapshot has seen its term; a new one has seen none.
	Term uint64String `json:"term"`
}

type startAnswer struct {
	LastIndex    uint64String `json:"lastIndex"`
	AppliedIndex uint64String `json:"appliedIndex"`
	Restores     int          `json:"restores"`
}

// startNode starts a node on a directory. Raft restores the newest snapshot
// before this returns.
func startNode(args startArgs) (startAnswer, error) {
	n, err := args.find()
	if err != nil {
		return startAnswer{}, err
	}
	if err := os.MkdirAll(args.Base, 0o755); err != nil {
		return startAnswer{}, err
	}
	n.logs, err = raftboltdb.NewBoltStore(filepath.Join(args.Base, "raft.db"))
	if err != nil {
		return startAnswer{}, err
	}
	if err := n.logs.SetUint64([]byte("CurrentTerm"), uint64(args.Term)); err != nil {
		return startAnswer{}, err
	}
	snapshots, err := args.storeArgs.open()
	if err != nil {
		return startAnswer{}, err
	}
	n.raft, err = raft.NewRaft(nodeConfig(args.ID), n.machine, n.logs, n.logs, snapshots, n.transport)
	if err != nil {
		return startAnswer{}, err
	}
	return startAnswer{
		uint64String(n.raft.LastIndex()),
		uint64String(n.raft.AppliedIndex()),
		n.machine.restores,
	}, nil
}

func nodeConfig(id string) *raft.Config {
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(id)
	config.HeartbeatTimeout = 200 * time.Millisecond
	config.ElectionTimeout = 200 * time.Millisecond
	config.LeaderLeaseTimeout = 200 * time.Millisecond
	config.CommitTimeout = 5 * time.Millisecond
	config.SnapshotInterval = time.Hour // only when told to
	config.SnapshotThreshold = 1 << 40
	config.TrailingLogs = 0
	config.Logger = logger()
	return config
}

type leaderArgs struct {
	Addresses []string `json:"addresses"`
}

// awaitLeader waits until one of the nodes leads, and has shown it.
func awaitLeader(args leaderArgs) (string, error) {
	cases := []reflect.SelectCase{}
	for _, address := range args.Addresses {
		n, err := nodeArgs{address}.find()
		if err != nil {
			return "", err
		}
		cases = append(cases, receive(n.raft.LeaderCh()))
	}
	cases = append(cases, receive(time.After(patience)))
	for {
		chosen, value, _ := reflect.Select(cases)
		if chosen == len(args.Addresses) {
			return "", errors.New("no leader was elected")
		}
		address := args.Addresses[chosen]
		if value.Bool() && nodes[address].raft.VerifyLeader().Error() == nil {
			return address, nil
		}
	}
}

func receive(channel any) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(channel)}
}

type applyArgs struct {
	nodeArgs
	Commands []string `json:"commands"`
}

// applyToNode applies commands on the leader; the answer is the last one's index.
func applyToNode(args applyArgs) (uint64String, error) {
	n, err := args.find()
	if err != nil {
		return 0, err
	}
	futures := make([]raft.ApplyFuture, len(args.Commands))
	for i, command := range args.Commands {
		futures[i] = n.raft.Apply([]byte(command), patience)
	}
	index := uint64(0)
	for _, future := range futures {
		if err := future.Error(); err != nil {
			return 0, err
		}
		index = future.Index()
	}
	return uint64String(index), nil
}

type awaitArgs struct {
	nodeArgs
	Index uint64String `json:"index"`
}

// awaitNode waits until a node has applied the command of that index.
func awaitNode(args awaitArgs) (bool, error) {
	n, err := args.find()
	if err != nil {
		return false, err
	}
	reached := func() bool { return n.machine.applied >= uint64(args.Index) }
	return true, n.machine.await(reached, patience)
}

// snapshotNode has the node take a snapshot into its own store.
func snapshotNode(args nodeArgs) (wireMeta, error) {
	n, err := args.find()
	if err != nil {
		return wireMeta{}, err
	}
	future := n.raft.Snapshot()
	if err := future.Error(); err != nil {
		return wireMeta{}, err
	}
	meta, source, err := future.Open()
	if err != nil {
		return wireMeta{}, err
	}
	return toWire(fileMeta{SnapshotMeta: *meta}), source.Close()
}

type stateAnswer struct {
	State    string `json:"state"`
	Restores int    `json:"restores"`
}

func stateOfNode(args nodeArgs) (stateAnswer, error) {
	n, err := args.find()
	if err != nil {
		return stateAnswer{}, err
	}
	return stateAnswer{string(n.machine.state()), n.machine.restores}, nil
}

// stopNode stops a node and frees its port and its log's file.
func stopNode(args nodeArgs) (bool, error) {
	n, err := args.find()
	if err != nil {
		return false, err
	}
	delete(nodes, args.Address)
	if n.raft != nil {
		err = n.raft.Shutdown().Error()
	}
	err = errors.Join(err, n.transport.Close())
	if n.logs != nil {
		err = errors.Join(err, n.logs.Close())
	}
	return true, err
}
