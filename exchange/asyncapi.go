package exchange

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
)

// AsyncAPI describes the feeds that concern who asks (AsyncAPI 3.0): one channel an agreement with events, with the fields that it sends. server is where the bus
// listens, host:port; "" where it doesn't.
func (x *Exchange) AsyncAPI(ctx context.Context, who *identity.Principal, server string) ([]byte, error) {
	if !who.SignedIn() || who.Kind == identity.Citizen {
		return nil, who.Refused()
	}
	all, err := x.Agreements(ctx)
	if err != nil {
		return nil, err
	}
	tag := lang.From(ctx)
	channels, operations, messages, schemas := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for _, s := range all {
		v := s.Holds
		if v == nil || !v.Spec.Events || !x.concerned(who, v.Project) {
			continue
		}
		c, err := x.contract(v)
		if err != nil {
			continue // its dataset has become another: nothing goes out
		}
		id := StreamOf(v.Project, v.Name)
		fields := map[string]any{}
		for i := range c.fields {
			f := c.fields[i].Field
			fields[f.Name] = registry.FieldSchema(&f)
		}
		schemas[id] = map[string]any{"type": "object", "properties": fields}
		list := map[string]any{}
		for _, kind := range []string{created, updated, deleted, gap} {
			short := kind[strings.LastIndex(kind, ".")+1:]
			messages[id+"_"+short] = message(id, kind, kind == created || kind == updated)
			list[short] = reference("messages/" + id + "_" + short)
		}
		channels[id] = map[string]any{
			"address": id + ".event", "title": titleOf(x.catalog(), v).In(tag), "description": v.Spec.About.In(tag), "messages": list,
			"bindings": map[string]any{"nats": map[string]any{}},
		}
		operations[id] = map[string]any{"action": "receive", "channel": map[string]any{"$ref": "#/channels/" + id}}
	}
	out := map[string]any{
		"asyncapi": "3.0.0",
		"info": map[string]any{
			"title": "Maru", "version": "1", "description": "Events by agreement. Read the durable consumer " + MainCursor + " of the agreement's stream (NATS JetStream), or have them posted to a webhook. " +
				"Events come in order, at least once: drop an id that you have had. After a gap read all by the agreement, and go on.",
		},
		"defaultContentType": "application/cloudevents+json",
		"channels":           channels, "operations": operations,
		"components": map[string]any{"messages": messages, "schemas": schemas},
	}
	if server != "" {
		out["servers"] = map[string]any{"bus": map[string]any{
			"host": server, "protocol": "nats", "description": "NATS JetStream; the token of the project's service account",
			"security": []any{map[string]any{"type": "httpApiKey", "name": "token", "in": "header", "description": "as the NATS token"}},
		}}
	}
	return json.MarshalIndent(out, "", "  ")
}

func reference(to string) map[string]any { return map[string]any{"$ref": "#/components/" + to} }

// message is an event of a stream (CloudEvents 1.0 in structured mode).
func message(stream, kind string, data bool) map[string]any {
	text := map[string]any{"type": "string"}
	properties := map[string]any{
		"specversion": map[string]any{"const": "1.0"}, "id": text, "source": text, "type": map[string]any{"const": kind}, "subject": text, "agreement": text,
		"time": map[string]any{"type": "string", "format": "date-time"}, "receipt": map[string]any{"type": "string", "description": "The number of the receipt in the log"},
		"toolong": map[string]any{"type": "boolean", "description": "The data are too long for an event: read the record by the agreement"},
	}
	if data {
		properties["datacontenttype"], properties["data"] = map[string]any{"const": "application/json"}, reference("schemas/"+stream)
	}
	return map[string]any{
		"name": kind, "contentType": "application/cloudevents+json",
		"payload": map[string]any{"type": "object", "required": []string{"specversion", "id", "source", "type"}, "properties": properties},
	}
}
