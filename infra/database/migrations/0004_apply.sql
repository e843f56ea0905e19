-- What an apply must not forget when it is killed: who holds an environment, how far the branch has
-- been applied, and what is still to be told. None of it is for people's sessions.

-- Durable half of the lock. Whether the holder is alive is told by a session-level advisory lock
-- that the holder keeps: Postgres drops it when the process dies, this row stays.
create table public.ops_apply_lock (
  environment text primary key check (environment <> ''),
  change_id text not null check (change_id <> ''),
  holder text not null check (holder <> ''),
  pid integer not null,
  host text not null,
  acquired_at timestamptz not null default clock_timestamp(),
  state text not null default 'held' check (state in ('held', 'undecidable')),
  note text not null default ''
);

comment on table public.ops_apply_lock is
  'One row for each environment that is being applied, or that waits for a human (undecidable).';

create table public.ops_apply_cursor (
  environment text not null check (environment <> ''),
  branch text not null check (branch <> ''),
  last_applied text not null check (last_applied ~ '^[0-9a-f]{40}$'),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (environment, branch)
);

comment on table public.ops_apply_cursor is
  'Last commit of a branch whose changes are all applied; moves only forward, by compare and swap.';

create table public.ops_outbox (
  id bigint generated always as identity primary key,
  kind text not null check (kind <> ''),
  key text not null unique check (key <> ''),
  payload jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  posted_at timestamptz,
  message_ref text
);

comment on table public.ops_outbox is
  'Messages that belong to a committed fact and are still to be posted (posted_at is null), or were.';

create index ops_outbox_waiting on public.ops_outbox (id) where posted_at is null;

do $$
declare
  name text;
begin
  foreach name in array array['ops_apply_lock', 'ops_apply_cursor', 'ops_outbox'] loop
    execute format('alter table public.%I enable row level security', name);
    execute format('alter table public.%I force row level security', name);
    execute format('create policy %I on public.%I for all to current_user using (true) '
      'with check (true)', name || '_owner', name);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', name);
    execute format('grant select, insert, update, delete on public.%I to service_role', name);
  end loop;
end $$;
