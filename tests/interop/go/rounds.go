package main

import (
	"github.com/hashicorp/raft"
)

// roundsArgs is how many snapshots a server takes, one after the other.
type roundsArgs struct {
	createArgs
	Rounds int `json:"rounds"`
}

// roundsAnswer has the outcomes.
type roundsAnswer struct {
	// Acknowledged is how many of the calls of Close returned nil.
	Acknowledged int `json:"acknowledged"`
	// Refused is how many snapshots failed before: Raft keeps its log then.
	Refused int `json:"refused"`
	// Broken are acknowledged snapshots that could not be opened right after.
	Broken []string `json:"broken"`
}

// takeRounds takes snapshots as a running server does: it never opens the store
// again, and keeps Raft's promise that an acknowledged snapshot can be opened.
func takeRounds(args roundsArgs) (roundsAnswer, error) {
	answer := roundsAnswer{Broken: []string{}}
	store, err := args.open()
	if err != nil {
		return answer, err
	}
	state := args.Content.bytes()
	for round := 1; round <= args.Rounds; round++ {
		index := uint64(args.Index) + uint64(round)
		id, err := takeOne(store, index, uint64(args.Term), state)
		if err != nil {
			answer.Refused++
			continue
		}
		answer.Acknowledged++
		_, source, err := store.Open(id)
		if err != nil {
			answer.Broken = append(answer.Broken, id+": "+err.Error())
			continue
		}
		if err := source.Close(); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

func takeOne(store *raft.FileSnapshotStore, index, term uint64, state []byte) (string, error) {
	_, transport := raft.NewInmemTransport("")
	sink, err := store.Create(1, index, term, raft.Configuration{}, 1, transport)
	if err != nil {
		return "", err
	}
	if _, err := sink.Write(state); err != nil {
		_ = sink.Cancel()
		return "", err
	}
	return sink.ID(), sink.Close()
}
