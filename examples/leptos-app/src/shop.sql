create table if not exists coupons (code text primary key, customer text not null, used_by text);
create table if not exists orders (customer text not null, what text not null);
insert into orders select 'Ada', 'A difference engine, second hand' where not exists (select 1 from orders);
insert or ignore into coupons values ('coupon-of-ada', 'Ada', null);
