-- Since when it is known that others make records of a scope's origin in its target, too; NULL: nothing tells so.
ALTER TABLE tallyman.scopes ADD COLUMN shared_since timestamptz;
