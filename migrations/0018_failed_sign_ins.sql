-- How many sign-ins failed, over all nodes: whether much more fails than usual.

CREATE TABLE failed_sign_ins (
    slot        BIGINT PRIMARY KEY,                 -- number of the five minutes since 1970
    failed      BIGINT NOT NULL
);
