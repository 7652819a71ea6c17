-- When Xero made the connection, by Xero's own clock: for the first half hour of a new one it lifts some limits. Of those connected before this
-- step nobody knows it, and they are limited as ever.
ALTER TABLE tenants ADD COLUMN connection_created_at timestamptz
