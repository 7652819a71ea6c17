// The peer in Go: the receiver one writes in an afternoon with net/http and franz-go, with the same promises on the wire
// and the same records on Kafka: raw body, HMAC in constant time, 401, or 200 with an empty body after Kafka's
// acknowledgement of every event. None of our limits, metrics, deadlines, dead letters or recovery.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const mostBytes = 4 << 20

type delivery struct {
	Events             []json.RawMessage `json:"events"`
	FirstEventSequence *int64            `json:"firstEventSequence"`
	LastEventSequence  *int64            `json:"lastEventSequence"`
}

type tenant struct {
	TenantID string `json:"tenantId"`
}

type webhookEvent struct {
	Version            int             `json:"version"`
	App                string          `json:"app"`
	ReceivedAt         string          `json:"received_at"`
	DeliveryID         string          `json:"delivery_id"`
	Index              int             `json:"index"`
	FirstEventSequence *int64          `json:"first_event_sequence"`
	LastEventSequence  *int64          `json:"last_event_sequence"`
	Event              json.RawMessage `json:"event"`
}

type receiver struct {
	key    []byte
	topic  string
	client *kgo.Client
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost || request.URL.Path != "/webhooks/xero" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, mostBytes))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write(body)
	expected := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(expected), []byte(request.Header.Get("x-xero-signature"))) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	records, err := r.records(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(request.Context(), 4*time.Second)
	defer cancel()
	if err := r.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (r *receiver) records(body []byte) ([]*kgo.Record, error) {
	var read delivery
	if err := json.Unmarshal(body, &read); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(body)
	id := hex.EncodeToString(digest[:16])
	receivedAt := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	trace := traceparent()
	records := make([]*kgo.Record, 0, len(read.Events))
	for index, event := range read.Events {
		var of tenant
		if err := json.Unmarshal(event, &of); err != nil {
			return nil, err
		}
		value, err := json.Marshal(webhookEvent{
			1, "default", receivedAt, id, index, read.FirstEventSequence, read.LastEventSequence, event,
		})
		if err != nil {
			return nil, err
		}
		records = append(records, &kgo.Record{
			Topic: r.topic,
			Key:   []byte(of.TenantID),
			Value: value,
			Headers: []kgo.RecordHeader{
				{Key: "ce_specversion", Value: []byte("1.0")},
				{Key: "ce_id", Value: []byte(id + "-" + strconv.Itoa(index))},
				{Key: "ce_source", Value: []byte("/xero-stream/apps/default")},
				{Key: "ce_type", Value: []byte("io.xerostream.webhook-event")},
				{Key: "content-type", Value: []byte("application/json")},
				{Key: "traceparent", Value: trace},
			},
		})
	}
	return records, nil
}

func traceparent() []byte {
	var random [24]byte
	rand.Read(random[:]) // never fails, says its documentation
	return []byte("00-" + hex.EncodeToString(random[:16]) + "-" + hex.EncodeToString(random[16:]) + "-01")
}

func main() {
	// Acknowledgement by all replicas and idempotence are franz-go's defaults. ProduceSync waits for no linger.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("KAFKA_BOOTSTRAP_SERVERS")),
		kgo.ProducerBatchCompression(kgo.GzipCompression().WithLevel(1)), // the topic's codec, at our level
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	serve := &receiver{key: []byte(os.Getenv("XERO_WEBHOOK_KEYS")), topic: os.Getenv("PEER_TOPIC"), client: client}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PEER_PORT"), serve))
}
