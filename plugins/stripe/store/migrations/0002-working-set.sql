-- Indexes of what is not done with, so that no question walks over what is, nor over what was used before billing began.

INSERT INTO mcpgw_stripe.schema_version (version) VALUES (2);

CREATE INDEX line_started ON mcpgw_stripe.line ("end", id) WHERE state <> 'idle';
CREATE INDEX line_credit ON mcpgw_stripe.line ("end", id) WHERE state = 'idle' AND wanted < sent;
CREATE INDEX line_owed ON mcpgw_stripe.line ("end", id) WHERE state = 'idle' AND wanted > sent;
CREATE INDEX line_customer ON mcpgw_stripe.line (customer, event, "start") WHERE customer <> '';
CREATE INDEX line_last ON mcpgw_stripe.line (last_identifier) WHERE last_identifier <> '';
DROP INDEX mcpgw_stripe.line_unsettled;
