"""Mail servers, a proxy that misbehaves, and a reader of mailboxes that shares no code with Ferry: for tests that come
over the network, for script/kill-test and for script/bench."""
